# frozen_string_literal: true

require 'coprocess_common_pb'
require 'coprocess_mini_request_object_pb'
require 'coprocess_object_pb'
require 'coprocess_response_object_pb'
require 'coprocess_return_overrides_pb'
require 'coprocess_session_state_pb'
require 'grapnel_facts_pb'
require 'grapnel_session_pb'
require 'grapnel_stream_pb'
require 'grapnel_values_pb'
require 'coprocess_object_services_pb'
