//! Postgres: parameters of any type, and its binary values.
//!
//! A parameter is sent as text and cast to the type that the server infers for its place, so that a text is a date where
//! a date belongs: as if it stood there in quotes. Whole numbers, decimals and truths have their own types, as literals
//! have them.

use serde_json::Value;
use sqlx::{
    AssertSqlSafe, Column as _, Either, Executor as _, PgConnection, Row as _, SqlSafeStr as _, Statement as _,
    TypeInfo as _, ValueRef as _,
    postgres::{PgArguments, PgRow, PgTypeInfo, types::Oid},
};

use super::{Cell, text::Bound, times};

/// A statement that is ready: its text, its arguments, and the names of its columns.
pub(crate) struct Ready {
    pub(crate) sql: String,
    pub(crate) arguments: PgArguments,
    pub(crate) columns: Vec<String>,
}

const UNKNOWN: u32 = 0;
const TEXT: u32 = 25;

/// Types that are written as they are named; others are asked for.
const NAMES: [(u32, &str); 17] = [
    (16, "bool"),
    (17, "bytea"),
    (20, "int8"),
    (21, "int2"),
    (23, "int4"),
    (25, "text"),
    (114, "json"),
    (700, "float4"),
    (701, "float8"),
    (1042, "bpchar"),
    (1043, "varchar"),
    (1082, "date"),
    (1114, "timestamp"),
    (1184, "timestamptz"),
    (1700, "numeric"),
    (2950, "uuid"),
    (3802, "jsonb"),
];

/// Prepares a statement: asks the server for the types of its parameters, and writes a cast around each.
pub(crate) async fn prepare(conn: &mut PgConnection, bound: Bound) -> Result<Ready, (sqlx::Error, String)> {
    let types: Vec<u32> = bound.values.iter().map(literal_type).collect();
    let (sql, found, columns) = describe(conn, &bound, &types).await?;
    if bound.values.is_empty() {
        return Ok(Ready { sql, arguments: PgArguments::default(), columns });
    }
    let mut casts = Vec::with_capacity(found.len());
    for info in &found {
        casts.push(cast(conn, info).await.map_err(|error| (error, sql.clone()))?);
    }
    let none = String::new();
    let sql = bound.write(|at| {
        let cast = casts.get(at).unwrap_or(&none);
        if cast.is_empty() { format!("${}::text", at + 1) } else { format!("(${}::text)::{cast}", at + 1) }
    });
    let mut arguments = PgArguments::default();
    for (at, cell) in bound.values.into_iter().enumerate() {
        let is_array = casts.get(at).is_some_and(|cast| cast.ends_with("[]"));
        let text = text_of(cell, is_array);
        // NUL is no character to Postgres; it says so.
        sqlx::Arguments::add(&mut arguments, text).map_err(|error| (sqlx::Error::Encode(error), sql.clone()))?;
    }
    Ok(Ready { sql, arguments, columns })
}

/// Asks the server for the types of parameters and the names of columns.
pub(crate) async fn describe(
    conn: &mut PgConnection,
    bound: &Bound,
    types: &[u32],
) -> Result<(String, Vec<PgTypeInfo>, Vec<String>), (sqlx::Error, String)> {
    let mut sql = bound.write(|at| format!("${}", at + 1));
    let shown = sql.clone();
    if !types.is_empty() {
        // The driver keeps prepared statements by their text: with other types it is another one.
        sql.push_str(&format!("\n/*{}*/", types.iter().map(u32::to_string).collect::<Vec<_>>().join(",")));
    }
    let types: Vec<_> = types.iter().map(|oid| PgTypeInfo::with_oid(Oid(*oid))).collect();
    let prepared = conn.prepare_with(AssertSqlSafe(sql).into_sql_str(), &types).await;
    let prepared = prepared.map_err(|error| (error, shown.clone()))?;
    let found = match prepared.parameters() {
        Some(Either::Left(types)) => types.to_vec(),
        Some(Either::Right(_)) | None => Vec::new(),
    };
    let columns = prepared.columns().iter().map(|column| column.name().to_owned()).collect();
    Ok((shown, found, columns))
}

/// The type that a literal of this value has.
fn literal_type(cell: &Cell) -> u32 {
    match cell {
        Cell::Bool(_) => 16,
        Cell::Int(value) if i32::try_from(*value).is_ok() => 23,
        Cell::Int(_) => 20,
        Cell::Unsigned(_) | Cell::Float(_) | Cell::Decimal(_) => 1700,
        Cell::Null | Cell::Text(_) | Cell::Json(_) | Cell::Bytes(_) => UNKNOWN,
    }
}

/// How a type is written in a cast; empty for text.
pub(crate) async fn cast(conn: &mut PgConnection, info: &PgTypeInfo) -> sqlx::Result<String> {
    let oid = info.oid().map_or(TEXT, |oid| oid.0);
    if oid == TEXT {
        return Ok(String::new());
    }
    if let Some((_, name)) = NAMES.iter().find(|(known, _)| *known == oid) {
        return Ok((*name).to_owned());
    }
    sqlx::query_scalar("SELECT format_type($1, NULL)").bind(Oid(oid)).fetch_one(conn).await
}

/// Writes a value as the server reads it from text: a list as an array, where one is wanted.
pub(crate) fn text_of(cell: Cell, is_array: bool) -> Option<String> {
    if is_array && let Cell::Json(Value::Array(items)) = &cell {
        return Some(array_literal(items));
    }
    cell.into_text()
}

/// `{"a","b",NULL}`
fn array_literal(items: &[Value]) -> String {
    let items: Vec<_> = items
        .iter()
        .map(|item| {
            if let Value::Array(items) = item {
                return array_literal(items);
            }
            match Cell::from(item.clone()).into_text() {
                Some(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
                None => "NULL".to_owned(),
            }
        })
        .collect();
    format!("{{{}}}", items.join(","))
}

/// Reads a row.
pub(crate) fn row(row: &PgRow) -> sqlx::Result<Vec<Cell>> {
    (0..row.columns().len()).map(|at| value(row, at)).collect()
}

fn value(row: &PgRow, at: usize) -> sqlx::Result<Cell> {
    let raw = row.try_get_raw(at)?;
    if raw.is_null() {
        return Ok(Cell::Null);
    }
    let info = raw.type_info();
    let wrong = |source: sqlx::error::BoxDynError| sqlx::Error::ColumnDecode {
        index: row.column(at).name().to_owned(),
        source,
    };
    let bytes = raw.as_bytes().map_err(wrong)?;
    decode(&info, bytes).map_err(|words| wrong(words.into()))
}

/// Reads a value in Postgres' binary form.
fn decode(info: &PgTypeInfo, bytes: &[u8]) -> Result<Cell, String> {
    use sqlx::postgres::PgTypeKind;
    match info.kind() {
        PgTypeKind::Array(item) => return array(item, bytes).map(Cell::Json),
        PgTypeKind::Enum(_) => return text(bytes),
        PgTypeKind::Domain(base) => return decode(base, bytes),
        PgTypeKind::Composite(_) => return composite(bytes),
        PgTypeKind::Simple | PgTypeKind::Pseudo | PgTypeKind::Range(_) => {}
    }
    let oid = info.oid().map_or(UNKNOWN, |oid| oid.0);
    decode_simple(oid, bytes)?
        .ok_or_else(|| format!("Flow does not know the type `{}`; write `::text` behind the column", info.name()))
}

/// Reads a value of a type by its number; `None`: it is not known.
fn decode_simple(oid: u32, bytes: &[u8]) -> Result<Option<Cell>, String> {
    Ok(Some(match oid {
        16 => Cell::Bool(fixed::<1>(bytes)? != [0]),
        17 => Cell::Bytes(bytes.to_vec()),
        18 | 19 | 25 | 142 | 705 | 1042 | 1043 => text(bytes)?,
        20 => Cell::Int(i64::from_be_bytes(fixed(bytes)?)),
        21 => Cell::Int(i16::from_be_bytes(fixed(bytes)?).into()),
        23 => Cell::Int(i32::from_be_bytes(fixed(bytes)?).into()),
        // Numbers of objects and transactions.
        24 | 26 | 28 | 29 | 2205 | 2206 | 4089 | 4096 => Cell::Int(u32::from_be_bytes(fixed(bytes)?).into()),
        114 => json(bytes)?,
        // One byte of version before it.
        3802 => json(bytes.get(1..).unwrap_or_default())?,
        4072 => text(bytes.get(1..).unwrap_or_default())?,
        // The shortest digits that make the same number: those of the narrow type.
        700 => Cell::Float(f32::from_be_bytes(fixed(bytes)?).to_string().parse().unwrap_or(f64::NAN)),
        701 => Cell::Float(f64::from_be_bytes(fixed(bytes)?)),
        790 => {
            let cents = i64::from_be_bytes(fixed(bytes)?);
            let sign = if cents < 0 { "-" } else { "" };
            let cents = cents.unsigned_abs();
            Cell::Decimal(format!("{sign}{}.{:02}", cents / 100, cents % 100))
        }
        829 | 774 => Cell::Text(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")),
        650 | 869 => address(bytes)?,
        1082 => Cell::Text(times::pg_date(i32::from_be_bytes(fixed(bytes)?))),
        1083 => Cell::Text(times::clock(i64::from_be_bytes(fixed(bytes)?))),
        1114 => Cell::Text(times::pg_timestamp(i64::from_be_bytes(fixed(bytes)?), "")),
        1184 => Cell::Text(times::pg_timestamp(i64::from_be_bytes(fixed(bytes)?), "+00:00")),
        1186 => {
            let (micros, days, months) = (part(bytes, 0)?, part(bytes, 8)?, part(bytes, 12)?);
            let (days, months) = (i32::from_be_bytes(days), i32::from_be_bytes(months));
            Cell::Text(times::interval(months, days, i64::from_be_bytes(micros)))
        }
        1266 => {
            let west = i32::from_be_bytes(part(bytes, 8)?);
            Cell::Text(times::clock(i64::from_be_bytes(part(bytes, 0)?)) + &times::offset(-west))
        }
        1560 | 1562 => {
            let count = usize::try_from(i32::from_be_bytes(part(bytes, 0)?)).unwrap_or(0);
            let bits = bytes.iter().skip(4).flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1));
            Cell::Text(bits.take(count).map(|bit| if bit == 1 { '1' } else { '0' }).collect())
        }
        1700 => Cell::Decimal(numeric(bytes)?),
        2278 => Cell::Null,
        2950 => {
            let hex = super::cell::hex(&fixed::<16>(bytes)?);
            let hex = &hex[2..];
            Cell::Text(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
        }
        2249 => composite(bytes)?,
        _ => return Ok(None),
    }))
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], String> {
    bytes.try_into().map_err(|_| format!("{} bytes are not {N}", bytes.len()))
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], String> {
    bytes.get(at..at + N).and_then(|part| part.try_into().ok()).ok_or_else(|| "the value is cut off".to_owned())
}

fn text(bytes: &[u8]) -> Result<Cell, String> {
    std::str::from_utf8(bytes).map(|text| Cell::Text(text.to_owned())).map_err(|error| error.to_string())
}

fn json(bytes: &[u8]) -> Result<Cell, String> {
    serde_json::from_slice(bytes).map(Cell::Json).map_err(|error| error.to_string())
}

/// Groups of four decimal digits.
fn numeric(bytes: &[u8]) -> Result<String, String> {
    let word = |at: usize| part::<2>(bytes, at * 2).map(u16::from_be_bytes);
    let (count, weight, sign, scale) = (word(0)?, word(1)? as i16, word(2)?, usize::from(word(3)?));
    match sign {
        0xC000 => return Ok("NaN".to_owned()),
        0xD000 => return Ok("Infinity".to_owned()),
        0xF000 => return Ok("-Infinity".to_owned()),
        _ => {}
    }
    let group = |at: i32| match usize::try_from(at) {
        Ok(at) if at < usize::from(count) => word(4 + at),
        _ => Ok(0),
    };
    let weight = i32::from(weight);
    let mut digits = String::new();
    for at in 0..=weight.max(0) {
        // Groups before the first are zero: the first digit may be behind the point.
        let group = if weight < 0 { 0 } else { group(at)? };
        digits.push_str(&if digits.is_empty() { group.to_string() } else { format!("{group:04}") });
    }
    if scale > 0 {
        let mut fraction = String::new();
        let mut at = weight + 1;
        if weight < 0 {
            for _ in weight + 1..0 {
                fraction.push_str("0000");
            }
            at = 0;
        }
        while fraction.len() < scale {
            fraction.push_str(&format!("{:04}", group(at)?));
            at += 1;
        }
        digits.push('.');
        digits.push_str(&fraction[..scale]);
    }
    Ok(if sign == 0x4000 { format!("-{digits}") } else { digits })
}

fn address(bytes: &[u8]) -> Result<Cell, String> {
    let [family, bits, is_cidr, len] = part(bytes, 0)?;
    let (host, whole) = match len {
        4 => (std::net::IpAddr::from(part::<4>(bytes, 4)?).to_string(), 32),
        16 => (std::net::IpAddr::from(part::<16>(bytes, 4)?).to_string(), 128),
        _ => return Err(format!("an address of the family {family}")),
    };
    Ok(Cell::Text(if bits == whole && is_cidr == 0 { host } else { format!("{host}/{bits}") }))
}

fn array(item: &PgTypeInfo, bytes: &[u8]) -> Result<Value, String> {
    let dimensions = usize::try_from(i32::from_be_bytes(part(bytes, 0)?)).unwrap_or(0);
    let mut sizes = Vec::new();
    for at in 0..dimensions.min(6) {
        sizes.push(usize::try_from(i32::from_be_bytes(part(bytes, 12 + at * 8)?)).unwrap_or(0));
    }
    let mut at = 12 + dimensions * 8;
    if sizes.is_empty() {
        return Ok(Value::Array(Vec::new()));
    }
    nested(item, bytes, &sizes, &mut at)
}

fn nested(item: &PgTypeInfo, bytes: &[u8], sizes: &[usize], at: &mut usize) -> Result<Value, String> {
    let Some((size, inner)) = sizes.split_first() else {
        return Ok(sized(bytes, at)?.map_or(Ok(Cell::Null), |bytes| decode(item, bytes))?.into_json());
    };
    (0..*size).map(|_| nested(item, bytes, inner, at)).collect()
}

/// A value with its length before it; none is null.
fn sized<'a>(bytes: &'a [u8], at: &mut usize) -> Result<Option<&'a [u8]>, String> {
    let len = i32::from_be_bytes(part(bytes, *at)?);
    *at += 4;
    let Ok(len) = usize::try_from(len) else { return Ok(None) };
    let found = bytes.get(*at..*at + len).ok_or_else(|| "the value is cut off".to_owned())?;
    *at += len;
    Ok(Some(found))
}

/// A row within a row: a list, or a map where its fields have names.
fn composite(bytes: &[u8]) -> Result<Cell, String> {
    let count = i32::from_be_bytes(part(bytes, 0)?);
    let mut at = 4;
    let mut items = Vec::new();
    for _ in 0..count {
        let oid = u32::from_be_bytes(part(bytes, at)?);
        at += 4;
        let value = match sized(bytes, &mut at)? {
            Some(bytes) => decode_simple(oid, bytes)?.ok_or_else(|| {
                "a row within a row has a type that Flow does not know; write `::text` behind it".to_owned()
            })?,
            None => Cell::Null,
        };
        items.push(value.into_json());
    }
    Ok(Cell::Json(Value::Array(items)))
}
