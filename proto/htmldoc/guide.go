package main

import "google.golang.org/protobuf/reflect/protoreflect"

// A guide says what the fields of one message are in each hook.
type guide struct {
	Message protoreflect.FullName
	Path    string // where the message is in an Object
	Intro   string
	Rules   []rule
}

// A rule is about one field. Hooks has a letter of [marks] for each of [hooks];
// Effect says what changing the field does.
type rule struct {
	Field  string
	Hooks  string
	Effect string
}

// guides lists the messages that a hook reads or changes.
func guides() []guide {
	return []guide{
		{"coprocess.Object", "", "The envelope. Leave alone what you do not mean to change, and return it.", objectRules()},
		{
			"coprocess.MiniRequestObject", "request",
			"All changes count together or not at all, in this order: body, `multivalue_headers`, `delete_headers`, `set_headers`, `append_headers`, `trailers`, `url`, `multivalue_params`, `delete_params`, `add_params`, `append_params`, `method`, `return_overrides`. What comes later wins.",
			requestRules(),
		},
		{
			"coprocess.ReturnOverrides", "request.return_overrides",
			"A `response_code` above 0 ends the request with your answer: no further hook runs, and the upstream is not called.",
			overrideRules(),
		},
		{
			"coprocess.ResponseObject", "response",
			"The reply as you return it is the reply that the client gets.", responseRules(),
		},
		{
			"coprocess.SessionState", "session",
			"CustomKeyCheck gets no session and returns one, which is taken as a whole: what you leave out is zero. It is stored under the token, and counted by it.",
			sessionRules(),
		},
	}
}

func objectRules() []rule {
	return []rule{
		{"hook_type", "rrrrr", "Nothing."},
		{"hook_name", "rrrrr", "Nothing. It says which of your functions is meant; return the Object as it came when you do not know the name."},
		{"request", "wwwwr", "Changes the request. Without it nothing changes."},
		{"session", "-skkr", "From CustomKeyCheck it becomes the caller's session; without one the client gets 403. To Response it is always sent, empty for an unknown caller."},
		{"metadata", "-skkk", "From CustomKeyCheck it is merged over `session.metadata`. The entry `token` is the credential that stands for the caller; without it the client gets 403. Later hooks that have `write_back: true` change it for good."},
		{"spec", "rrrrr", "Nothing. Parse `config_data` once and keep it."},
		{"response", "----w", "Replaces the reply. Without it the hook fails."},
		{"facts", "ooooo", "Nothing."},
	}
}

func requestRules() []rule {
	return []rule{
		{"headers", "rrrrr", "Nothing: use `set_headers` and `delete_headers`."},
		{"set_headers", "sssse", "Each entry replaces all values of that header. `Host` cannot be set; what HTTP forbids fails the hook."},
		{"delete_headers", "sssse", "Removes all values of these headers, before `set_headers` sets its own."},
		{"body", "wwwwr", "Becomes the body if you changed it and left `raw_body` alone, or emptied that. In Tyk mode: nothing."},
		{"url", "wwwwr", "Its path becomes the path, its query, where it has one, the query (in Tyk mode not). Scheme and host are ignored, but `tyk://API-ID/path` hands the request to another API."},
		{"params", "rrrrr", "Nothing: use `add_params` and `delete_params`."},
		{"add_params", "sssse", "Sets each query parameter to this one value."},
		{"extended_params", "eeeee", "Nothing: it is not used."},
		{"delete_params", "sssse", "Removes all values of these query parameters, before `add_params` sets its own."},
		{"return_overrides", "sssse", "Answers the client, once its `response_code`, sent as -1, is above 0."},
		{"method", "wwwwr", "Becomes the method; empty means GET."},
		{"request_uri", "rrrrr", "Nothing: use `url`."},
		{"scheme", "rrrrr", "Nothing."},
		{"raw_body", "wwwwr", "Becomes the body, and Content-Length follows. To empty it, empty `body` too."},
		{"multivalue_headers", "mmmmo", "A changed or new entry gives the header these values; one without values removes it. `set_headers` and `delete_headers` win."},
		{"append_headers", "sssse", "Adds values to a header, after all other changes."},
		{"multivalue_params", "mmmmo", "As `multivalue_headers`, for query parameters. `add_params`, `delete_params` and a query in `url` win."},
		{"append_params", "sssse", "Adds values at the end of the query, after all other changes."},
		{"trailers", "mmmmo", "An entry sets its trailer; one without values removes it."},
		{"body_truncated", "ooooo", "Nothing."},
		{"body_size", "ooooo", "Nothing."},
	}
}

func overrideRules() []rule {
	return []rule{
		{"response_code", "sssse", "Above 0 it is the status of your answer, from 200 to 599; all else above 0 fails the hook. The other fields count only then."},
		{"response_error", "sssse", "The text of the answer."},
		{"headers", "sssse", "Sets headers of the answer, one value each."},
		{"override_error", "sssse", "From 400 up: true sends the text as the body, false puts it into the gateway's error page, and fires `AuthFailure`."},
		{"response_body", "sssse", "The text of the answer, if `response_error` is empty."},
		{"multivalue_headers", "sssse", "Sets headers of the answer to several values. A name in `headers` is left to it."},
	}
}

func responseRules() []rule {
	return []rule{
		{"status_code", "----w", "Becomes the status, from 200 to 599; all else fails the hook."},
		{"raw_body", "----w", "Becomes the body, and Content-Length follows."},
		{"body", "----w", "Becomes the body if you changed it and left `raw_body` alone. In Tyk mode: nothing."},
		{"headers", "----w", "A changed value replaces the first value of the header, a new name is added, a missing one removed."},
		{"multivalue_headers", "----w", "Become the headers, with what you changed in `headers`. Edit them where several values matter, as in Set-Cookie."},
		{"trailers", "----m", "An entry sets its trailer; one without values removes it."},
		{"body_truncated", "----o", "Nothing."},
		{"body_size", "----o", "Nothing."},
	}
}

func sessionRules() []rule {
	const (
		kept   = "Nothing here: stored with the session, and sent to later hooks."
		basic  = "With it the session can be logged into on APIs with basic authentication."
		tokens = "Checks JSON Web Tokens of this session, on APIs that take them."
		signed = "Checks signed requests of this session, on APIs that take them."
		secret = " Later hooks see the secret where they have `send: {session: full}`, and in Tyk mode."
	)
	return []rule{
		{"last_check", "-skkr", kept},
		{"allowance", "-skkr", kept},
		{"rate", "-skkr", "More requests than this in `per` seconds get 429. Both must be above 0 for there to be a limit."},
		{"per", "-skkr", "The seconds that `rate` is about."},
		{"expires", "-skkr", "Once it has passed, the client gets 401 `Key has expired, please renew`."},
		{"quota_max", "-skkr", "More requests than this in `quota_renewal_rate` seconds get 403 `Quota exceeded`."},
		{"quota_renews", "-skkr", "Nothing: the gateway keeps the count."},
		{"quota_remaining", "-skkr", "Nothing: the gateway keeps the count. From Post on it is what this request has left."},
		{"quota_renewal_rate", "-skkr", "The seconds that `quota_max` is about."},
		{"access_rights", "-skkr", "An API, a version or a path that is not among them gets 403; none at all allow everything."},
		{"org_id", "--kkr", "Nothing: it becomes the API's."},
		{"oauth_client_id", "-skkr", kept},
		{"oauth_keys", "-skkr", kept},
		{"basic_auth_data", "-skkr", basic + secret},
		{"jwt_data", "-skkr", tokens + secret},
		{"hmac_enabled", "-skkr", signed},
		{"hmac_secret", "-sooo", signed + secret},
		{"is_inactive", "-skkr", "The client gets 403 `Key is inactive, please renew`."},
		{"apply_policy_id", "-skkr", "As `apply_policies`, where those are empty."},
		{"data_expires", "-skkr", kept},
		{"monitor", "-skkr", kept},
		{"enable_detailed_recording", "-skkr", kept},
		{"metadata", "-skkr", "What you note for later hooks. `Object.metadata` wins over it."},
		{"tags", "-skkr", kept},
		{"alias", "-skkr", "The name by which `grapnel key get` shows the session."},
		{"last_updated", "-skkr", kept},
		{"id_extractor_deadline", "-skkr", "Until then an API with an id extractor takes the stored session and does not ask you."},
		{"session_lifetime", "-skkr", "How long the session is stored."},
		{"apply_policies", "-skkr", "Puts the limits and rights of these policies on the session. Where none of them can be applied, the client gets 403 `Forbidden`."},
		{"certificate", "-skkr", "Nothing here. In Tyk mode it is not sent."},
		{"max_query_depth", "-skkr", "Nothing here. In Tyk mode it is not sent."},
		{"key_id", "--ooo", "Nothing: it is the token, or the extracted id. Sent where the hook has `send: {session: full}`, and not in Tyk mode."},
		{"post_expiry_action", "-skkr", "Whether the stored session is deleted when it expires, or retained."},
		{"post_expiry_grace_period", "-skkr", "How long a retained session stays."},
		{"throttle_interval", "-skkr", kept},
		{"throttle_retry_limit", "-skkr", kept},
		{"date_created", "-skkr", kept},
		{"enable_http_signature_validation", "-skkr", kept},
		{"rsa_certificate_id", "-skkr", kept},
		{"metadata_json", "-skkr", "Gives types to entries of `metadata`: a number, a list, an object."},
		{"extra", "-skkr", kept},
	}
}
