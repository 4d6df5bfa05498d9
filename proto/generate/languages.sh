# One function for each language. Each writes below $out, a copy of proto/ that
# holds the generated files only, and runs in proto/. Folders with generated
# files have no others, so that a left-over is seen. Sourced by proto/generate.sh.

protos=(*.proto)

# folder PATH makes a folder below $out and prints its name.
folder() { mkdir -p "$out/$1" && echo "$out/$1"; }

# descriptors is the contract as data, comments included: for grpcurl, for Buf,
# and for the tests and pages that are made from the comments.
generate_descriptors() {
  "$protoc" -I. --include_imports --include_source_info \
    --descriptor_set_out="$(folder bindings/descriptor)/coprocess.binpb" "${protos[@]}"
}

generate_go() {
  local dir
  dir=$(folder coprocess)
  PATH=$go_plugins:$PATH "$protoc" -I. \
    --go_out="$dir" --go_opt=paths=source_relative \
    --go-grpc_out="$dir" --go-grpc_opt=paths=source_relative "${protos[@]}"
}

# The modules are flat, as they always were; package coprocess has all their names.
generate_python() {
  local dir file
  dir=$(folder bindings/python/src)
  "$protoc" -I. --python_out="$dir" --pyi_out="$dir" \
    --grpc_out="$dir" --plugin=protoc-gen-grpc="$grpc_debian/grpc_python" "${protos[@]}"
  mkdir "$dir/coprocess"
  {
    echo '"""Every message, enum and service of the coprocess contract."""'
    echo
    for file in "${protos[@]}"; do echo "from ${file%.proto}_pb2 import *"; done
    echo "from coprocess_object_pb2_grpc import *"
    echo "from grapnel_stream_pb2_grpc import *"
  } >"$dir/coprocess/__init__.py"
}

generate_ruby() {
  local dir file
  dir=$(folder bindings/ruby/lib)
  "$protoc" -I. --ruby_out="$dir" \
    --grpc_out="$dir" --plugin=protoc-gen-grpc="$grpc_debian/grpc_ruby" "${protos[@]}"
  {
    echo '# frozen_string_literal: true'
    echo
    for file in "${protos[@]}"; do echo "require '${file%.proto}_pb'"; done
    echo "require 'coprocess_object_services_pb'"
  } >"$dir/coprocess.rb"
}

generate_java() {
  local dir
  dir=$(folder bindings/java/src/main/java)
  "$protoc" -I. --java_out="$dir" \
    --grpc-java_out=@generated=omit:"$dir" --plugin=protoc-gen-grpc-java="$grpc_java" "${protos[@]}"
}

generate_cpp() {
  local dir
  dir=$(folder bindings/cpp/src)
  "$protoc_cpp" -I. --cpp_out="$dir" \
    --grpc_out="$dir" --plugin=protoc-gen-grpc="$grpc_debian/grpc_cpp" "${protos[@]}"
}

generate_csharp() {
  "$protoc" -I. --csharp_out="$(folder bindings/csharp/src)" "${protos[@]}"
}

generate_objc() {
  "$protoc" -I. --objc_out="$(folder bindings/objc/src)" "${protos[@]}"
}

# PHP reserves the name Object, and protoc does not know it. The prefix is set in
# a copy, for it is no other language's business.
generate_php() {
  local copy dir
  copy=$work/php
  dir=$(folder bindings/php/src)
  mkdir "$copy"
  cp "${protos[@]}" "$copy"
  sed -i '/^package coprocess;$/a option php_class_prefix = "PB";' "$copy/coprocess_object.proto"
  (cd "$copy" && "$protoc" -I. --php_out="$dir" \
    --grpc_out="$dir" --plugin=protoc-gen-grpc="$grpc_debian/grpc_php" "${protos[@]}")
}

generate_rust() {
  "$rust_generator" "$out/bindings/descriptor/coprocess.binpb" "$(folder bindings/rust/src/generated)"
}

# The code and its types come from two runs: in the types every field that is
# always there when read is required, and yet the code takes messages where fields
# are left out.
generate_node() {
  local dir
  dir=$(folder bindings/node/lib)
  node_types "$work/node/code" all
  node_types "$work/node/types" none
  (cd "$work/node/code" && node_compile --outDir "$dir")
  (cd "$work/node/types" && node_compile --declaration --emitDeclarationOnly --outDir "$dir")
}

# node_types FOLDER OPTIONALS writes TypeScript.
node_types() {
  local file
  mkdir -p "$1"
  "$protoc" -I. --ts_proto_out="$1" --plugin=protoc-gen-ts_proto="$node_modules/.bin/protoc-gen-ts_proto" \
    --ts_proto_opt="env=node,esModuleInterop=true,exportCommonSymbols=false,forceLong=string,outputServices=grpc-js,snakeToCamel=false,unknownFields=true,useOptionals=$2" \
    "${protos[@]}"
  {
    echo '// Every message, enum and service of the coprocess contract.'
    for file in "${protos[@]}"; do echo "export * from \"./${file%.proto}\";"; done
  } >"$1/index.ts"
  ln -s "$node_modules" "$1/node_modules"
}

node_compile() {
  "$node_modules/.bin/tsc" --strict --target es2022 --module commonjs --moduleResolution node10 \
    --esModuleInterop --skipLibCheck --types node --newLine lf "$@" ./*.ts
}
