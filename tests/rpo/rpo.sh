#!/usr/bin/env bash
# What is lost when Postgres, the receiver of its log and its data folder go at a random moment (tests/rpo/rpo.cc says how):
# one line for asynchronous and one for synchronous commits.
# usage: tests/rpo/rpo.sh BUILD [ROUNDS] [SEED]
set -euo pipefail
exec "$1/tests/oa_rpo" "${2:-50}" "${3:-1}"
