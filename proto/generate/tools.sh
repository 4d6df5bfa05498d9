# Puts the pinned generators into a cache of the user's, without root and without
# a trace elsewhere. Sourced by proto/generate.sh, which defines here, work and die
# and runs it in proto/.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/grapnel-generate

# need_commands stops, with the whole list, when something is not installed that
# the script cannot fetch by itself.
need_commands() {
  local missing=() line
  while read -r line; do
    command -v "${line%% *}" >/dev/null || missing+=("$line")
  done <<'LIST'
go         the Go toolchain, see go.mod for the version
mvn        Maven, for protoc and Java's plugin      (apt-get install maven)
node       Node.js 20 or newer                      (apt-get install nodejs)
npm        its package manager                      (apt-get install npm)
cargo      Rust 1.88 or newer                       (https://rustup.rs)
apt-get    Debian 12, for the gRPC plugins of C++, Python, Ruby and PHP
dpkg       the same
sha256sum  the checksums in GENERATED               (apt-get install coreutils)
LIST
  ((${#missing[@]})) || return 0
  echo "generate.sh: these are missing:" >&2
  printf '  %s\n' "${missing[@]}" >&2
  exit 1
}

# once NAME COMMAND... runs COMMAND in an empty folder, which becomes NAME in the
# cache when all went well; a folder that is there is used as it is.
once() {
  local name=$1 dir log
  shift
  [[ -d $cache/$name ]] && return
  mkdir -p "$cache"
  echo "installing $name" >&2
  dir=$(mktemp -d "$cache/new.XXXXXX")
  log=$dir.log
  if ! (cd "$dir" && "$@") >"$log" 2>&1; then
    cat "$log" >&2
    rm -rf "$dir" "$log"
    die "$name could not be installed"
  fi
  rm -f "$log"
  mv -T "$dir" "$cache/$name"
}

# maven GROUP:ARTIFACT VERSION COMMAND fetches a program of Maven Central.
maven() {
  local system
  case $(uname -sm) in
    'Linux x86_64') system=linux-x86_64 ;;
    'Linux aarch64') system=linux-aarch_64 ;;
    *) echo "no $1 is known for $(uname -sm)" && return 1 ;;
  esac
  mvn -q -B dependency:copy -Dartifact="$1:$2:exe:$system" -DoutputDirectory=. &&
    mv -- *.exe "$3" && chmod +x "$3"
}

# debian_plugins unpacks Debian's plugins and their libraries, and puts a starter
# beside each that finds them.
debian_plugins() {
  local packages=("protobuf-compiler-grpc=$grpc_debian_version-*" libgrpc29 libprotobuf32 libprotoc32) deb language
  ((EUID)) || apt-get update -q || return
  if ! apt-get download "${packages[@]}"; then
    echo "Debian 12's packages are needed. If it is one, apt-get update, as root, may help:" "${packages[@]}"
    return 1
  fi
  for deb in *.deb; do dpkg -x "$deb" . || return; done
  rm -- *.deb
  for language in cpp python ruby php; do
    printf '#!/bin/sh\nhere=$(dirname "$0")\nLD_LIBRARY_PATH=$(echo "$here"/usr/lib/*-linux-gnu) exec "$here/usr/bin/%s" "$@"\n' \
      "grpc_${language}_plugin" >"grpc_$language" && chmod +x "grpc_$language" || return
  done
}

node_generators() {
  cp "$here"/generate/node/package*.json . && npm ci --ignore-scripts --no-audit --no-fund
}

rust_generator() {
  CARGO_TARGET_DIR=$PWD/target cargo install --quiet --locked --path "$here/generate/rust" --root . && rm -rf target
}

# checksum FILE... is a short name for what is in the files.
checksum() { cat "$@" | sha256sum | cut -c1-12; }

# install_tools sets a variable for each generator.
install_tools() {
  once "protoc-$protoc_version" maven com.google.protobuf:protoc "$protoc_version" protoc
  protoc=$cache/protoc-$protoc_version/protoc

  once "protoc-$protoc_cpp_version" maven com.google.protobuf:protoc "$protoc_cpp_version" protoc
  protoc_cpp=$cache/protoc-$protoc_cpp_version/protoc

  once "grpc-java-$grpc_java_version" maven io.grpc:protoc-gen-grpc-java "$grpc_java_version" protoc-gen-grpc-java
  grpc_java=$cache/grpc-java-$grpc_java_version/protoc-gen-grpc-java

  once "grpc-debian-$grpc_debian_version" debian_plugins
  grpc_debian=$cache/grpc-debian-$grpc_debian_version

  local name
  name=node-$(checksum "$here"/generate/node/package-lock.json)
  once "$name" node_generators
  node_modules=$cache/$name/node_modules

  name=rust-$(checksum "$here"/generate/rust/{Cargo.toml,Cargo.lock,src/main.rs})
  once "$name" rust_generator
  rust_generator=$cache/$name/bin/coprocess-generator

  go_plugins=$work/go
  go build -o "$go_plugins/" google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc
}
