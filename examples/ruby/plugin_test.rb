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

  def test_only_who_asks_for_it_is_denied
    assert_equal 403, ask('Deny', **request(headers: { 'X-Deny' => '' })).request.return_overrides.response_code
    assert_nil ask('Deny').request.return_overrides
  end

  def test_a_reply_is_changed
    o = ask('Reply', response: Coprocess::ResponseObject.new(
      status_code: 200, raw_body: "\xff".b, headers: { 'X-Internal' => 'a' },
      multivalue_headers: [Coprocess::Header.new(key: 'X-Internal', values: %w[a b])]
    ), **request(headers: { 'X-Accept' => '1' }))
    assert_equal 202, o.response.status_code
    assert_equal "\xff (seen)".b, o.response.raw_body
    assert_equal({ 'X-Reply' => 'sample' }, o.response.headers.to_h)
    assert_equal [['X-Reply', ['sample']]], (o.response.multivalue_headers.map { |h| [h.key, h.values.to_a] })
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
