package tyk

// confKeys are the keys of the original's tyk.conf that have no effect here,
// by reason; see newKeyFinder for the form.
const confKeys = `
info: plugins are gRPC servers; nothing runs within the gateway
  tyk_js_path middleware_path enable_jsvm jsvm_timeout
  coprocess_options.python_path_prefix coprocess_options.python_version
info: the gateway's own choice is used
  experimental_process_org_off_thread storage.optimisation_max_idle storage.tls_min_version storage.tls_max_version
  local_session_cache.*
warn: nothing is cached or recorded there
  enable_separate_cache_store cache_storage
  enable_separate_analytics_store analytics_storage
silent: it has no effect in the original either, or is always so
  policies.allow_explicit_policy_id policies.policy_connection_string
  suppress_default_org_store update_key_at_update_policy enable_key_logging
warn: it is not supported in this version
  disable_key_actions_by_username basic_auth_hash_key_function oauth_*
  legacy_enable_allowance_countdown
warn: it is not supported in this version
  monitor rate_limit_response_headers
info: rates are exact in any window, here and across gateways
  enable_redis_rolling_limiter enable_sentinel_rate_limiter enable_fixed_window_rate_limiter
  enable_non_transactional_rate_limiter drl_*
warn: bundles are not supported in this version
  enable_bundle_downloader bundle_base_url bundle_insecure_skip_verify
  skip_verify_existing_plugin_bundle public_key_path
info: there is no such cluster to take part in
  allow_remote_config suppress_redis_signal_reload
  reload_interval reload_wait_time management_node node_id
  db_app_conf_options disable_dashboard_zeroconf
  slave_options.* auth_override service_discovery hostname
warn: nothing is recorded for analytics
  enforce_org_data_age enforce_org_data_detail_logging enable_analytics analytics_config statsd_* enable_http_profiler
  newrelic track_404_logs version_header
info: there is nothing to check or report to
  health_check liveness_check readiness_check_endpoint_name=ready uptime_tests
  use_sentry sentry_* use_syslog syslog_* use_logstash logstash_* use_graylog graylog_*
  opentelemetry tracing pid_file_location
warn: system-wide event handlers are not supported; those of definitions are
  event_handlers event_triggers_defunct event_trigers_defunct
warn: the texts of replies are the built-in ones
  override_messages error_overrides
info: it does not show in what clients or upstreams can rely on
  hide_generator_header dns_cache max_idle_connections max_idle_connections_per_host
  max_conn_time close_connections proxy_close_connections http_server_options.flush_interval
  http_server_options.server_name http_server_options.override_defaults
warn: the gateway's own choice is used
  proxy_ssl_* proxy_enable_http2=true ssl_force_common_name_check
  http_server_options.max_version http_server_options.ssl_ciphers
  http_server_options.skip_client_ca_announcement http_server_options.ssl_insecure_skip_verify
  http_server_options.skip_url_cleaning http_server_options.skip_target_path_escaping
  http_server_options.xff_depth http_server_options.max_response_body_size
  security.* security.certificates.* access_logs.template ports_whitelist
silent: it is always so, or what refers to it is noticed
  http_server_options.enable_http2=true http_server_options.enable_websockets=true
  oas_config jwks kv stores graphql_* streaming labs external_services
`

// definitionKeys are those of Classic API definitions.
const definitionKeys = `
silent: it is only a label, or belongs to what is switched off or refused
  id slug is_site hook_references created_at updated_at _id category
  auth.signature auth_configs.*.signature basic_auth.disable_caching basic_auth.cache_ttl
  basic_auth.body_user_regexp basic_auth.body_password_regexp
  notifications.shared_secret scopes.oidc openid_options external_oauth.*
  idp_client_id_mapping_disabled graphql.* request_signing.* upstream_auth.*
  global_rate_limit.smoothing definition.name
  event_handlers.events.*[].handler_meta.* custom_middleware.pre[].*
  custom_middleware.post_key_auth[].* custom_middleware.post[].*
  custom_middleware.response[].* custom_middleware.auth_check.*
  version_data.versions.*.extended_paths.transform_headers[].act_on tags_disabled
  version_data.versions.*.extended_paths.transform_response_headers[].act_on
  do_not_track cors.debug proxy.service_discovery.*
silent: it has no effect in the original either, or is always so
  auth_provider session_provider enable_context_vars
info: the gateway's own choice is used
  jwt_jwks_uris[].cache_timeout
info: nothing is recorded
  expire_analytics_after expire_analytics_at tag_headers enable_detailed_recording detailed_tracing
  analytics_plugin version_data.versions.*.extended_paths.track_endpoints
  version_data.versions.*.extended_paths.do_not_track_endpoints
warn: nothing is cached in this version
  cache_options version_data.versions.*.extended_paths.cache
  version_data.versions.*.extended_paths.advance_cache_config
warn: bodies are passed on as they are in this version
  version_data.versions.*.extended_paths.transform
  version_data.versions.*.extended_paths.transform_response
  version_data.versions.*.extended_paths.transform_jq
  version_data.versions.*.extended_paths.transform_jq_response
warn: JavaScript is not supported; the request goes to the upstream
  version_data.versions.*.extended_paths.virtual
warn: the request goes to the upstream as it is
  version_data.versions.*.extended_paths.persist_graphql
warn: it is not supported in this version
  version_data.versions.*.extended_paths.circuit_breakers uptime_tests
  proxy.check_host_against_uptime_tests enable_batch_request_support
  enable_proxy_protocol certificates custom_middleware.traffic_logs error_overrides
  definition.url_versioning_pattern json_rpc_version application_protocol
  security_requirements proxy.transport.* proxy.structured_target_list
warn: the OAS document of the definition is not read
  is_oas
info: definitions in app_path are served whatever their tags, as in the original
  tags
`
