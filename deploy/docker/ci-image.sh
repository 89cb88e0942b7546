#!/usr/bin/env bash
# Builds the image and runs it for real where there is no Docker engine and no registry: buildah, and a base made of this machine's Debian and Node.
# Usage: deploy/docker/ci-image.sh   as root, with buildah and debootstrap installed. Ends with code 0 when everything held.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
ours=() # processes that we started
finish() {
  local code=$?
  for pid in "${ours[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${ours[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT

# Storage of its own, gone afterwards; vfs needs nothing of the kernel.
bud() { buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }
say() { printf '%4s s  %s\n' "$SECONDS" "$*"; }
fail() { echo "FAILED: $*" >&2; for log in "$work"/*.log; do echo "--- $log" >&2; tail -n 40 "$log" >&2; done; exit 1; }
until_true() { # until_true <seconds> <what> <command...>
  local seconds=$1 what=$2
  shift 2
  for _ in $(seq 1 $((seconds * 4))); do "$@" >/dev/null 2>&1 && return 0; sleep 0.25; done
  fail "$what, not within $seconds s"
}
free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })'; }

say 'the base: Debian, this Node, npm, a user "node"'
base=$work/base
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
debootstrap --variant=minbase --include=libstdc++6,ca-certificates "$suite" "$base" >"$work/debootstrap.log" 2>&1 || fail 'debootstrap'
install -D "$(node -p process.execPath)" "$base/usr/local/bin/node"
mkdir -p "$base/usr/local/lib/node_modules"
cp -rL "$(npm root -g)/npm" "$base/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$base/usr/local/bin/npm"
# What this machine trusts, npm in the base trusts too: a registry may be reached through a proxy.
cp -L /etc/ssl/certs/ca-certificates.crt "$base/etc/ssl/certs/ca-certificates.crt"
chroot "$base" useradd --create-home --uid 1000 node
scratch=$(bud from scratch)
bud copy -q "$scratch" "$base" / >/dev/null
bud config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$scratch"
bud commit -q --rm "$scratch" localhost/dailygrind-node >/dev/null
rm -rf "$base"

say 'the image'
# Docker's format, because OCI's has no health check.
build() { # build <name> <arguments...>; to keep layers, which the images could share, costs this storage more than to build them anew
  local name=$1
  shift
  bud bud --format docker --isolation chroot --network host --build-arg NODE_IMAGE=localhost/dailygrind-node -t "localhost/$name" "$@" . \
    >"$work/build-$name.log" 2>&1 || fail "the image $name cannot be built"
}
build dailygrind
container=$(bud from localhost/dailygrind)
inside() { # inside <environment file> <command...>
  local settings=() line
  while IFS= read -r line; do settings+=(--env "$line"); done <"$1"
  shift
  # This shell becomes buildah: its process id is the one to watch.
  exec buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs run --isolation chroot --network host "${settings[@]}" "$container" -- "$@"
}
of_image() { bud inspect --type image localhost/dailygrind | node -e '
  const { Docker: { config } } = JSON.parse(require("fs").readFileSync(0, "utf8"))
  console.log(JSON.stringify(eval("(c => " + process.argv[1] + ")")(config)))' "$1"; }
[ "$(of_image c.User)" = '"node"' ] || fail "the image runs as $(of_image c.User)"
[ "$(of_image c.StopSignal)" = '"SIGTERM"' ] || fail "the image is stopped by $(of_image c.StopSignal)"
mapfile -t entry < <(of_image '[...c.Entrypoint, ...c.Cmd]' | node -e 'for (const x of JSON.parse(require("fs").readFileSync(0, "utf8"))) console.log(x)')
# Without CMD in front, which says that the rest is a command and its arguments.
mapfile -t healthy < <(of_image 'c.Healthcheck.Test.slice(1)' | node -e 'for (const x of JSON.parse(require("fs").readFileSync(0, "utf8"))) console.log(x)')

: >"$work/nothing.env"
inspected=$(inside "$work/nothing.env" node -e '
  const { existsSync, readdirSync } = require("fs")
  const dev = Object.keys(require("/app/package.json").devDependencies).filter(p => existsSync(`/app/node_modules/${p}/package.json`))
  const binaries = readdirSync("/app/node_modules/uWebSockets.js").filter(f => f.endsWith(".node"))
  console.log(JSON.stringify({ uid: process.getuid(), dev, binaries: binaries.length, sources: existsSync("/app/edge") }))')
say "inside: $inspected"
[ "$(node -p "const i = $inspected; i.uid > 0 && i.binaries === 1 && !i.sources && i.dev.length === 0")" = true ] ||
  fail 'root, development packages, sources or foreign binaries in the image'

say 'the engines of an embedded mesh'
npm start -- --data "$work/data" --port 0 >"$work/mesh.log" 2>&1 &
ours+=($!)
until_true 60 'the embedded mesh is up' test -s "$work/data/mesh.json"
settings() { # settings <file> <operations port>: what a process in the image is given
  node -e '
    const { config } = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"))
    const own = { HOST: "127.0.0.1", PORT: "0", OPERATIONS_PORT: process.argv[2], EDGE_SECRET: require("crypto").randomBytes(32).toString("hex") }
    for (const [name, value] of Object.entries({ ...config, ...own })) console.log(`${name}=${value}`)' "$work/data/mesh.json" "$2" >"$1"
}
descendant() { # descendant <pid>: the Node process below it; buildah has processes of its own between, as root
  local child
  for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do
    case $(readlink "/proc/$child/exe") in
      */node) echo "$child" ;;
      *) descendant "$child" ;;
    esac
  done
}
runs_and_stops() { # runs_and_stops <name> <command...>
  local name=$1 port began code node
  shift
  port=$(free_port)
  settings "$work/$name.env" "$port"
  (inside "$work/$name.env" "$@") >"$work/$name.log" 2>&1 &
  began=$!
  ours+=("$began")
  until_true 30 "$name is ready" curl -fsS "http://127.0.0.1:$port/health/ready"
  (inside "$work/$name.env" "${healthy[@]}") >"$work/$name-health.log" 2>&1 || fail "the health check of the image says no to $name"
  node=$(descendant "$began")
  [ -n "$node" ] || fail "no process of $name to be found"
  [ "$(stat -c %u "/proc/$node")" -ne 0 ] || fail "$name runs as root"
  kill -TERM "$node"
  code=0
  wait "$began" || code=$?
  [ "$code" -eq 0 ] || fail "$name ended with code $code after SIGTERM"
  if (inside "$work/$name.env" "${healthy[@]}") >/dev/null 2>&1; then fail "the health check of the image says yes to $name, which is gone"; fi
  say "$name: ready, healthy, and gone with code 0 after SIGTERM"
}
settings "$work/provision.env" 0
# As in compose.yaml: production's tables have point-in-time recovery, which emulators do not know.
echo NODE_ENV=development >>"$work/provision.env"
(inside "$work/provision.env" "${entry[0]}" dist/deploy/provision/main.js) >"$work/provision.log" 2>&1 || fail 'the topology cannot be provisioned from the image'
say "provision: $(tail -n 1 "$work/provision.log")"
runs_and_stops edge "${entry[@]}"
runs_and_stops posts "${entry[0]}" dist/actors/main.js posts

say 'the stand-in for Cognito, as compose runs it'
build stand-in --target stand-in
container=$(bud from localhost/stand-in)
runs_and_stops cognito node --import tsx deploy/emulators/cognito/main.ts /data
say 'the images hold'
