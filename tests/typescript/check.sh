#!/bin/sh
# Generates a TypeScript client from the committed contract, and compiles a sample that uses it in
# strict mode. Needs npm and a package registry; works in a temporary directory and leaves nothing.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
contract="$here/../../openapi/openapi.json"
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cp "$here/usage.ts" "$room/"
cd "$room"

npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix "$room" \
  openapi-typescript@7.13.0 openapi-fetch@0.17.0 typescript@5.9.3
npx --no-install openapi-typescript "$contract" --output client.d.ts
npx --no-install tsc --strict --noEmit --noUncheckedIndexedAccess --exactOptionalPropertyTypes false \
  --target es2022 --module esnext --moduleResolution bundler --skipLibCheck false usage.ts
echo "The generated client compiles in strict mode."
