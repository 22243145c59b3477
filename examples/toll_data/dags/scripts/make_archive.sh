# Makes the archive that three toll plazas send: vehicles as CSV, plazas as TSV, payments in fixed columns.
# Prints the folder that the run works in. Takes the run as RUN.
set -euo pipefail
folder="${FLOW_DATA:-/tmp/flow-examples-$(id -u)}/toll_data/$RUN"
mkdir -p "$folder/raw"
cd "$folder/raw"
awk 'BEGIN {
    split("car truck van bus", kinds, " "); split("PTE PTP PTC", payments, " ");
    for (i = 1; i <= 1000; i++) {
        time = sprintf("2026-01-%02d %02d:%02d:%02d", i % 28 + 1, i % 24, i % 60, (i * 7) % 60);
        number = 100000 + (i * 7919) % 900000; axles = 2 + i % 4; plaza = 4000 + i % 12;
        kind = kinds[i % 4 + 1]; code = sprintf("VC%03d", (i * 13) % 1000);
        printf "%d,%s,%d,%s,%d,%s\n", i, time, number, kind, axles, code > "vehicle-data.csv";
        printf "%d\t%s\t%d\t%d\t%d\tPC%d\r\n", i, time, number, axles, plaza, plaza % 7 > "tollplaza-data.tsv";
        printf "%6d %s %6d %4d %-8s %s %s\n", i, time, number, plaza, "PC" plaza % 7, payments[i % 3 + 1], code > "payment-data.txt";
    }
}'
cd "$folder"
tar --create --gzip --file toll-data.tgz --directory raw .
rm -r raw
echo "$folder"
