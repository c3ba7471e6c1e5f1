#!/usr/bin/env bash
# Checks the language and the size of source files and texts (CONTRIBUTING.md, "Code").
# Prints each violation as file:line, and fails if there is one.
set -euo pipefail
# The last command of a pipeline runs in this shell, so that `report` can set `failed`.
shopt -s lastpipe
# Columns are characters, not bytes, whatever the locale of the caller.
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."

failed=0
report() { # report TITLE, lines on standard input
    local lines
    lines="$(cat)"
    if [ -z "$lines" ]; then return 0; fi
    printf '%s:\n%s\n\n' "$1" "$lines" >&2
    failed=1
}
tracked() { git ls-files -co --exclude-standard -- "$@" | sort -u | while read -r file; do
    [ -e "$file" ] && echo "$file"; done; }

mapfile -t rust < <(tracked '*.rs')
mapfile -t markdown < <(tracked '*.md')
mapfile -t scripts < <(tracked '*.js' '*.mjs' '*.ts' '*.py' '*.sh')
# Everything that is written or generated here: sources, documents, contract, configuration, pages.
# Not the list of passwords, and not this file, which lists the words.
mapfile -t texts < <(tracked '*.rs' '*.md' '*.js' '*.mjs' '*.ts' '*.py' '*.sh' '*.sql' '*.toml' \
    '*.yml' '*.json' '*.html' '*.css' Makefile | grep -vx tests/style.sh)

question='(What|Who|Whom|Whose|Which|Where|When|Why|How|Whoever|Whatever|Somebody|Nobody|Everybody'
question+='|Anybody|Someone|Anyone)'
grep -nHE "^\s*(//[/!]|/\*\*|\"\"\")\s*$question\b" "${rust[@]}" "${scripts[@]}" |
    grep -vE '//[/!] (When|Where) [a-z]+ed,' |
    report 'doc comments that open with a question word: start with a noun phrase or a verb' || true
grep -nHE "^\s*# *$question\b" config.default.toml |
    report 'comments that open with a question word: start with a noun phrase' || true
grep -nHE "^\s*\"(description|summary)\": \"$question\b" openapi/openapi.json |
    report 'contract texts that open with a question word' || true

# Literary and vague words, each with a plain replacement in the glossary: in comments, strings and
# names. Underscores separate words, as in `is_told`.
words='whoever|whom|nobody|somebody|anybody|everybody|whither|thereof|wherein|hence|likewise|anew'
words+='|worn|guise|meanwhile|told|keeper|fence|strangers?|as it has to be|turned away'
words+='|comes to nothing|speaks of|under way|in our own words|put up|goes on'
grep -nHIiE "(^|[^a-z])(${words// /[ _]})([^a-z]|\$)" "${texts[@]}" |
    # The user `nobody` of the operating system.
    grep -vE '(chown|runuser -u) nobody' | cut -c1-160 |
    report 'literary words' || true

# The table of operations is a table.
grep -nHE '.{101,}' "${rust[@]}" | grep -v '^crates/api/src/operations.rs:' | cut -c1-120 |
    report 'lines over 100 columns' || true
grep -nHE '.{101,}' "${scripts[@]}" | cut -c1-120 |
    report 'lines over 100 columns' || true
for file in "${markdown[@]}"; do
    awk -v file="$file" 'length > 160 && !/^[|>]/ && !/^#/ {
        print file ":" NR ": " substr($0, 1, 80) "…" }' "$file"
done | grep -v '^openapi/' | report 'lines over 160 columns' || true
wc -l "${rust[@]}" | awk '$1 > 300 && $2 != "total" { print $2 ": " $1 " lines" }' |
    report 'files over 300 lines' || true
awk '
    FNR == 1 { start = 0 }
    !start && match($0, /^ *(pub(\([a-z]+\))? )?(const )?(async )?fn [a-z_0-9]+/) {
        indent = match($0, /[^ ]/) - 1; start = FNR; name = $0; ended = 0
        if ($0 ~ /[;}]$/) start = 0
        next
    }
    start && match($0, /[^ ]/) - 1 == indent && /^ *}/ {
        limit = FILENAME ~ /^tests\// ? 60 : 50
        if (FNR - start + 1 > limit) print FILENAME ":" start ": " FNR - start + 1 " lines"
        start = 0
    }
    start && match($0, /[^ ]/) - 1 == indent && /;$/ { start = 0 }
' "${rust[@]}" | report 'functions over 50 lines (60 in tests)' || true

if [ "$failed" -ne 0 ]; then
    echo 'style.sh: correct the lines above' >&2
    echo 'Rules: CONTRIBUTING.md. Terms: docs/glossary.md.' >&2
    exit 1
fi
echo 'language and sizes are as CONTRIBUTING.md requires'
