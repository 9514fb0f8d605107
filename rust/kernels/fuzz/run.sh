#!/usr/bin/env bash
# Fuzzes each target for so many seconds (default 30) with coverage feedback, on a stable compiler.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-30}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-../../../target}/fuzz
# What cargo-fuzz passes, less the sanitizer, which needs a nightly compiler.
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Clink-dead-code --cfg fuzzing -Ccodegen-units=1"
host=$(rustc -vV | sed -n 's/^host: //p')
cargo build --release --target "$host"
for target in open parse; do
    "$CARGO_TARGET_DIR/$host/release/$target" -max_total_time="$seconds" -rss_limit_mb=4096 \
        -timeout=10 -verbosity=0 -print_final_stats=1
done
