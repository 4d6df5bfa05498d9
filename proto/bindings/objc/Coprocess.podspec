Pod::Spec.new do |s|
  s.name = 'Coprocess'
  s.version = '0.1.0'
  s.summary = 'The coprocess contract between an API gateway and its gRPC plugins'
  s.homepage = 'https://github.com/grapnel-gateway/grapnel'
  s.license = 'Apache-2.0'
  s.authors = 'The Grapnel authors'
  s.source = { git: 'https://github.com/grapnel-gateway/grapnel.git', tag: "v#{s.version}" }
  s.ios.deployment_target = '12.0'
  s.osx.deployment_target = '10.13'
  s.source_files = 'src/*.{h,m}'
  s.requires_arc = false
  s.dependency 'Protobuf', '~> 3.25'
  s.pod_target_xcconfig = { 'GCC_PREPROCESSOR_DEFINITIONS' => '$(inherited) GPB_USE_PROTOBUF_FRAMEWORK_IMPORTS=1' }
end
