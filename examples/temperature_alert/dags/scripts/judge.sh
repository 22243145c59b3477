# Counts the readings above THRESHOLD in FILE, and finds the highest.
set -euo pipefail
awk -F, -v threshold="$THRESHOLD" '
    NR == 1 { next }
    { readings++ }
    $3 > threshold + 0 { too_hot++ }
    readings == 1 || $3 > highest { highest = $3 + 0; sensor = $2 }
    END { printf "{\"readings\": %d, \"too_hot\": %d, \"highest\": %.1f, \"sensor\": \"%s\"}\n", readings, too_hot, highest, sensor }
' "$FILE" | tee "$FLOW_XCOM"
