# frozen_string_literal: true

require 'minitest/autorun'
require_relative 'plugin'

class PluginTest < Minitest::Test
  def ask(hook, **fields)
    fields[:request] ||= Coprocess::MiniRequestObject.new
    Plugin.new.dispatch(Coprocess::Object.new(hook_name: hook, **fields), nil)
  end

  def request(**fields)
    { request: Coprocess::MiniRequestObject.new(**fields) }
  end

  def test_a_tenant_is_added_from_the_configuration
    o = ask('Tenant', spec: { 'config_data' => '{"tenant":"acme"}' })
    assert_equal 'acme', o.request.set_headers['X-Tenant']
  end

  def test_only_the_right_token_is_let_in
    o = ask('CheckToken', **request(headers: { 'Authorization' => 'Bearer let-me-in' }))
    assert_equal 5000, o.session.quota_max
    assert_equal({ 'token' => 'let-me-in', 'tier' => 'gold' }, o.metadata.to_h)
    o = ask('CheckToken', **request(headers: { 'Authorization' => 'Bearer wrong' }))
    assert_nil o.session
    assert_equal 401, o.request.return_overrides.response_code
  end

  def test_a_rewrite_keeps_the_query_and_what_is_not_ascii
    o = ask('Rewrite', **request(url: '/a/old?x=/old', raw_body: 'grüße'.b))
    assert_equal '/a/new?x=/old', o.request.url
    assert_equal 'GRüßE', o.request.body
    assert_equal 'GRüßE'.b, o.request.raw_body
  end

  def test_a_binary_body_stays
    o = ask('Rewrite', **request(url: '/', raw_body: "\xffabc".b))
    assert_equal "\xffabc".b, o.request.raw_body
  end

  def test_a_crash_is_internal
    _, printed = capture_io { assert_raises(GRPC::Internal) { ask('Crash') } }
    assert_match(/as it was asked to/, printed)
  end
end
