# frozen_string_literal: true

Gem::Specification.new do |s|
  s.name = 'grapnel-coprocess'
  s.version = '0.1.0'
  s.summary = 'The coprocess contract between an API gateway and its gRPC plugins'
  s.authors = ['The Grapnel authors']
  s.homepage = 'https://github.com/grapnel-gateway/grapnel'
  s.license = 'Apache-2.0'
  s.files = Dir.chdir(__dir__) { Dir['lib/**/*.rb', 'README.md'] }
  s.required_ruby_version = '>= 2.7'
  s.add_runtime_dependency 'google-protobuf', '>= 3.21', '< 5'
  s.add_runtime_dependency 'grpc', '~> 1.50'
end
