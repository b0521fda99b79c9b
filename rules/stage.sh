# SPDX-License-Identifier: Apache-2.0
# For the shell commands of the rules. Usage: stage NAME LOG COMMAND [ARGUMENT ...]
# The whole output of the command goes to the log. One line says that it is done and how long it took; if it fails, the
# end of the log is printed and the exit code of the command is kept.
stage() {
    local name="$1" log="$2" started=$SECONDS code=0
    shift 2
    "$@" >"$log" 2>&1 || code=$?
    if [ "$code" -ne 0 ]; then
        echo "$name: failed with exit code $code; the end of $log:" >&2
        tail -n 20 "$log" >&2
        return "$code"
    fi
    echo "$name: done in $((SECONDS - started)) s" >&2
}
