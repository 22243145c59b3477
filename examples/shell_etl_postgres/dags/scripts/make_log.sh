# Makes the access log of one day, the same for the same day: time#latitude#longitude#visitor#mobile#code.
# Prints the folder that the run works in. Takes the day as DAY and the run as RUN.
set -euo pipefail
folder="${FLOW_DATA:-/tmp/flow-examples-$(id -u)}/shell_etl_postgres/$RUN"
mkdir -p "$folder"
{
    echo 'timestamp#latitude#longitude#visitorid#accessed_from_mobile#browser_code'
    awk -v day="$DAY" 'BEGIN {
        srand(1 + substr(day, 9, 2));
        for (i = 0; i < 500; i++)
            printf "%sT%02d:%02d:%02dZ#%.4f#%.4f#visitor-%03d#%s#%d\n", day, i * 24 / 500, i % 60, (i * 7) % 60,
                rand() * 180 - 90, rand() * 360 - 180, int(rand() * 100), (i % 3 ? "false" : "true"), i % 25 == 0 ? 500 : 200;
    }'
} > "$folder/web.log"
echo "$folder"
