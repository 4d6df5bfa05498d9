# The generators that proto/generate.sh uses. All of them are pinned, so that
# every machine writes the same bytes: the two of Go by go.mod, those of Node.js
# by node/package-lock.json, that of Rust by rust/Cargo.lock, the rest here.

# protoc for all but C++: com.google.protobuf:protoc on Maven Central. Of the
# lines in use it is the oldest, and code of an old line runs on a newer library;
# the other way round it does not.
protoc_version=3.25.9

# protoc for C++, whose code compiles against this very version of libprotobuf
# only. It is Debian 12's; bindings/cpp generates anew where another is installed.
protoc_cpp_version=3.21.12

# io.grpc:protoc-gen-grpc-java on Maven Central.
grpc_java_version=1.68.3

# Debian's protobuf-compiler-grpc: the plugins of C++, Python, Ruby and PHP.
grpc_debian_version=1.51.1
