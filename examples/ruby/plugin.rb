# frozen_string_literal: true

# A plugin server with eleven hooks.

$LOAD_PATH.unshift File.expand_path('../../proto/bindings/ruby/lib', __dir__)

require 'coprocess'
require 'grpc/health/checker'
require 'json'

# The hooks. Each changes the object that it is given; what it leaves alone
# stays as it was.
HOOKS = {
  'Headers' => lambda do |o|
    o.request.set_headers['X-Sample'] = 'hello'
    o.request.delete_headers << 'X-Remove'
    o.request.add_params['added'] = '1'
    o.request.delete_params << 'remove'
  end,

  'Deny' => lambda do |o|
    return unless o.request.headers.has_key?('X-Deny')

    answer(o, 403, response_error: 'denied by the sample', headers: { 'X-Denied' => '1' })
  end,

  'Teapot' => lambda do |o|
    answer(o, 418, response_body: 'short and stout', override_error: true, headers: { 'Content-Type' => 'text/plain' })
  end,

  'CheckToken' => lambda do |o|
    unless o.request.headers['Authorization'] == 'Bearer let-me-in'
      return answer(o, 401, response_error: 'not authorised by the sample')
    end

    o.session = Coprocess::SessionState.new(
      rate: 1000, per: 1, quota_max: 5000, quota_remaining: 5000, quota_renewal_rate: 3600,
      metadata: { 'tier' => 'gold' }
    )
    o.metadata['token'] = 'let-me-in'
    o.metadata['tier'] = 'gold'
  end,

  'ReadSession' => lambda do |o|
    return unless o.session

    o.request.set_headers['X-Tier'] = o.session.metadata['tier'] || ''
    o.request.set_headers['X-Rate'] = o.session.rate.to_i.to_s
  end,

  'Rewrite' => lambda do |o|
    o.request.url = o.request.url.sub(%r{\A([^?]*)/old(?=\?|\z)}, '\1/new')
    o.request.method = 'POST' if o.request.headers['X-Method'] == 'post'
    text = o.request.raw_body.dup.force_encoding(Encoding::UTF_8)
    return if text.empty? || !text.valid_encoding?

    o.request.body = text.upcase(:ascii)
    o.request.raw_body = o.request.body.b
  end,

  'Tenant' => ->(o) { o.request.set_headers['X-Tenant'] = JSON.parse(o.spec['config_data'])['tenant'] },

  'Reply' => lambda do |o|
    headers = o.response.multivalue_headers
    kept = headers.reject { |h| %w[X-Internal X-Reply].include?(h.key) }
    headers.replace(kept + [Coprocess::Header.new(key: 'X-Reply', values: ['sample'])])
    o.response.headers.delete('X-Internal')
    o.response.headers['X-Reply'] = 'sample'
    o.response.raw_body += ' (seen)'.b
    o.response.status_code = 202 if o.response.status_code == 200 && o.request.headers.has_key?('X-Accept')
  end,

  'Echo' => ->(_) {},
  'Crash' => ->(_) { raise 'the sample crashed as it was asked to' },
  'Slow' => ->(_) { sleep 2 }
}.freeze

# Makes an answer to the client in place of the upstream's.
def answer(object, code, **fields)
  object.request.return_overrides = Coprocess::ReturnOverrides.new(response_code: code, **fields)
end

# The service that the gateway calls.
class Plugin < Coprocess::Dispatcher::Service
  # A name that no hook has changes nothing.
  def dispatch(object, _call)
    HOOKS[object.hook_name]&.call(object)
    object
  rescue StandardError => e
    warn "hook #{object.hook_name}: #{e.message} (#{e.class}), #{e.backtrace.first}"
    raise GRPC::Internal, e.message
  end

  def dispatch_event(event, _call)
    puts "event: #{event.payload}"
    Coprocess::EventReply.new
  end
end

MAX_MESSAGE = 64 << 20 # bytes; a text body counts twice
THREADS = 256 # calls beyond these are refused
GRACE = 30 # seconds that calls under way have at shutdown

def serve
  $stdout.sync = true
  health = Grpc::Health::Checker.new
  health.set_status_for_services(Grpc::Health::V1::HealthCheckResponse::ServingStatus::SERVING, '', Plugin.service_name)
  server = GRPC::RpcServer.new(
    pool_size: THREADS, poll_period: GRACE, server_args: { 'grpc.max_receive_message_length' => MAX_MESSAGE }
  )
  server.handle(Plugin)
  server.handle(health)

  socket = ENV.fetch('GRAPNEL_PLUGIN_SOCKET', '')
  address = socket.empty? ? ENV.fetch('PLUGIN_LISTEN', '127.0.0.1:5555') : "unix://#{socket}"
  server.add_http2_port(address, :this_port_is_insecure)
  Thread.new { puts "listening on #{address}" if server.wait_till_running }
  server.run_till_terminated_or_interrupted(%w[TERM INT])
end

serve if $PROGRAM_NAME == __FILE__
