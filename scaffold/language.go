package scaffold

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/grapnel-gateway/grapnel/proto"
	"github.com/grapnel-gateway/grapnel/sdk/node"
	"github.com/grapnel-gateway/grapnel/sdk/python"
)

// A language is what a project in it is made of, and the commands in its README.
type language struct {
	Folder   string // of its templates, and its name on the command line
	Language string // its name for people
	Needs    string // what has to be installed before
	Source   string // the file with the hooks
	Build    string // commands, run in the project's folder
	Test     string
	Run      string
	parts    []part
}

// Program is the file that Run runs: what grapnel run --plugin takes.
func (l language) Program() string {
	words := strings.Fields(l.Run)
	return words[len(words)-1]
}

// A part is files that are copied as they are.
type part struct {
	from fs.FS
	glob string
	to   string // folder of the project
}

// Languages are the names of the languages that projects can be in.
func Languages() []string {
	var names []string
	for _, l := range languages() {
		names = append(names, l.Folder)
	}
	return names
}

func find(name string) (language, error) {
	for _, l := range languages() {
		if l.Folder == name {
			return l, nil
		}
	}
	return language{}, fmt.Errorf("no projects in %q; there are %s", name, strings.Join(Languages(), ", "))
}

func languages() []language {
	return append(scripted(), compiled()...)
}

func scripted() []language {
	library := []part{
		{proto.Files, "bindings/node/package.json", "vendor/coprocess"},
		{proto.Files, "bindings/node/lib/*", "vendor/coprocess/lib"},
		{node.Files, "package.json", "vendor/plugin"},
		{node.Files, "lib/*", "vendor/plugin/lib"},
	}
	return []language{{
		Folder: "python", Language: "Python", Source: "plugin.py",
		Needs: "Python 3.9 or newer (Debian: `python3-venv`)",
		Build: "python3 -m venv .venv && .venv/bin/pip install -q ./vendor",
		Test:  ".venv/bin/python -m unittest",
		Run:   ".venv/bin/python plugin.py",
		parts: []part{
			{proto.Files, "bindings/python/src/*.py*", "vendor/src"},
			{proto.Files, "bindings/python/src/coprocess/*.py", "vendor/src/coprocess"},
			{python.Files, "src/grapnel_plugin/*", "vendor/src/grapnel_plugin"},
		},
	}, {
		Folder: "node", Language: "JavaScript", Source: "plugin.js",
		Needs: "Node.js 18 or newer (Debian: `nodejs npm`)",
		Build: "npm install", Test: "npm test", Run: "node plugin.js",
		parts: library,
	}, {
		Folder: "typescript", Language: "TypeScript", Source: "src/plugin.ts",
		Needs: "Node.js 18 or newer (Debian: `nodejs npm`)",
		Build: "npm install && npm run build", Test: "npm test", Run: "node build/plugin.js",
		parts: library,
	}, {
		Folder: "ruby", Language: "Ruby", Source: "plugin.rb",
		Needs: "Ruby 3 and gRPC (Debian: `ruby ruby-grpc ruby-google-protobuf ruby-minitest`; elsewhere `gem install grpc minitest`)",
		Test:  "ruby plugin_test.rb", Run: "ruby plugin.rb",
		parts: []part{{proto.Files, "bindings/ruby/lib/*", "vendor"}},
	}}
}

func compiled() []language {
	return []language{{
		Folder: "go", Language: "Go", Source: "hooks.go",
		Needs: "Go 1.26 or newer",
		Build: "go build -o plugin .", Test: "go test ./...", Run: "./plugin",
		parts: []part{{proto.Files, "coprocess/*.pb.go", "coprocess"}},
	}, {
		Folder: "java", Language: "Java", Source: "src/main/java/plugin/Hooks.java",
		Needs: "a JDK of version 17 or newer, and Maven (Debian: `openjdk-17-jdk-headless maven`)",
		Build: "mvn -q -B package -DskipTests", Test: "mvn -q -B test", Run: "java -jar target/plugin.jar",
		parts: []part{{proto.Files, "*.proto", "src/main/proto"}},
	}, {
		Folder: "cpp", Language: "C++", Source: "hooks.cc",
		Needs: "a C++17 compiler, CMake and gRPC (Debian: `cmake g++ pkg-config libgrpc++-dev protobuf-compiler protobuf-compiler-grpc`)",
		Build: "cmake -B build -DCMAKE_BUILD_TYPE=Release && cmake --build build",
		Test:  "ctest --test-dir build --output-on-failure", Run: "build/plugin",
		parts: []part{{proto.Files, "*.proto", "proto"}},
	}, {
		Folder: "rust", Language: "Rust", Source: "src/hooks.rs",
		Needs: "Rust 1.88 or newer (https://rustup.rs; Debian 12: `rustc-web cargo-web`)",
		Build: "cargo build --release", Test: "cargo test", Run: "target/release/plugin",
		parts: []part{{proto.Files, "bindings/rust/src/generated/coprocess.rs", "src"}},
	}}
}
