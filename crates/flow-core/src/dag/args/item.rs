//! Deserialises from arguments as they stand in a document.
//!
//! An open value, one that only a run can know, takes the shape that is asked for: empty text, 1, the first
//! word, an empty list.

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected, VariantAccess,
        Visitor,
    },
    forward_to_deserialize_any,
};

use super::error::{Kind, Mistake};
use crate::dag::Arg;

/// A stand-in inside a stand-in ends here; types may contain themselves.
const MAX_OPEN_DEPTH: usize = 8;

/// A value, or a stand-in for one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item<'a> {
    Arg(&'a Arg),
    Json(&'a serde_json::Value),
    Open,
}

/// What an item turns out to be.
enum Shape<'a> {
    Null,
    Bool(bool),
    Number(&'a serde_json::Number),
    Text(&'a str),
    List(Vec<Item<'a>>),
    Map(Vec<(&'a str, Item<'a>)>),
    Open,
}

impl<'a> Item<'a> {
    pub(super) fn is_open(self) -> bool {
        matches!(self.shape(), Shape::Open)
    }

    /// A mistake about a stand-in is none of the writer's, also when the type finds it after reading.
    fn judged(self, mistake: Mistake) -> Mistake {
        Mistake { is_open: mistake.is_open || self.is_open(), ..mistake }
    }

    fn shape(self) -> Shape<'a> {
        use serde_json::Value as Json;
        match self {
            Item::Open | Item::Arg(Arg::Template { .. } | Arg::XCom { .. }) => Shape::Open,
            Item::Arg(Arg::List(items)) => Shape::List(items.iter().map(Item::Arg).collect()),
            Item::Arg(Arg::Map(pairs)) => {
                Shape::Map(pairs.iter().map(|(key, arg)| (key.as_str(), Item::Arg(arg))).collect())
            }
            Item::Arg(Arg::Value(value)) | Item::Json(value) => match value {
                Json::Null => Shape::Null,
                Json::Bool(value) => Shape::Bool(*value),
                Json::Number(number) => Shape::Number(number),
                Json::String(text) => Shape::Text(text),
                Json::Array(items) => Shape::List(items.iter().map(Item::Json).collect()),
                Json::Object(map) => {
                    Shape::Map(map.iter().map(|(key, value)| (key.as_str(), Item::Json(value))).collect())
                }
            },
        }
    }
}

/// All arguments, as the fields of a struct.
pub(super) struct Arguments<'a>(Vec<(&'a str, Item<'a>)>);

impl<'a> Arguments<'a> {
    pub(super) fn new(items: &'a [(String, Item<'a>)]) -> Self {
        Self(items.iter().map(|(key, item)| (key.as_str(), *item)).collect())
    }
}

impl<'de> Deserializer<'de> for Arguments<'_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_map(Pairs::new(self.0, 0))
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_unit_struct("", visitor)
    }

    /// An operator without arguments.
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Mistake> {
        match self.0.first() {
            None => visitor.visit_unit(),
            Some((key, _)) => Err(Mistake::unknown_field(key, &[]).below(key)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option newtype_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// One value.
struct One<'a> {
    item: Item<'a>,
    /// How many stand-ins are around it.
    open_depth: usize,
}

fn open<T>(result: Result<T, Mistake>) -> Result<T, Mistake> {
    result.map_err(|mistake| Mistake { is_open: true, ..mistake })
}

impl<'a> One<'a> {
    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.item.shape() {
            Shape::Null => visitor.visit_unit(),
            Shape::Bool(value) => visitor.visit_bool(value),
            Shape::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(0.0)),
            },
            Shape::Text(text) => visitor.visit_str(text),
            Shape::List(items) => visitor.visit_seq(Items { items, next: 0, open_depth: self.open_depth }),
            Shape::Map(pairs) => visitor.visit_map(Pairs::new(pairs, self.open_depth)),
            Shape::Open => open(visitor.visit_unit()),
        }
    }

    /// Visits the value, or the stand-in if it is open.
    fn or_open<'de, V: Visitor<'de>>(
        self,
        visitor: V,
        stand_in: impl FnOnce(V) -> Result<V::Value, Mistake>,
    ) -> Result<V::Value, Mistake> {
        if self.item.is_open() { open(stand_in(visitor)) } else { self.visit(visitor) }
    }
}

macro_rules! numbers {
    ($($method:ident => $visit:ident($($one:expr)?)),+ $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
            self.or_open(visitor, |visitor| visitor.$visit($($one)?))
        })+
    };
}

impl<'de> Deserializer<'de> for One<'_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.visit(visitor)
    }

    numbers! {
        deserialize_bool => visit_bool(true),
        deserialize_i8 => visit_i64(1),
        deserialize_i16 => visit_i64(1),
        deserialize_i32 => visit_i64(1),
        deserialize_i64 => visit_i64(1),
        deserialize_i128 => visit_i64(1),
        deserialize_u8 => visit_u64(1),
        deserialize_u16 => visit_u64(1),
        deserialize_u32 => visit_u64(1),
        deserialize_u64 => visit_u64(1),
        deserialize_u128 => visit_u64(1),
        deserialize_f32 => visit_f64(1.0),
        deserialize_f64 => visit_f64(1.0),
        deserialize_char => visit_char(' '),
        deserialize_str => visit_str(""),
        deserialize_string => visit_str(""),
        deserialize_identifier => visit_str(""),
        deserialize_bytes => visit_bytes(b""),
        deserialize_byte_buf => visit_bytes(b""),
        deserialize_unit => visit_unit(),
        deserialize_ignored_any => visit_unit(),
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.item.shape() {
            Shape::Null => visitor.visit_none(),
            Shape::Open if self.open_depth >= MAX_OPEN_DEPTH => visitor.visit_none(),
            Shape::Open => open(visitor.visit_some(One { open_depth: self.open_depth + 1, ..self })),
            Shape::Bool(_) | Shape::Number(_) | Shape::Text(_) | Shape::List(_) | Shape::Map(_) => {
                visitor.visit_some(self)
            }
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Mistake> {
        self.visit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.or_open(visitor, |visitor| visitor.visit_seq(Items { items: Vec::new(), next: 0, open_depth: 0 }))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Mistake> {
        let open_depth = self.open_depth + 1;
        let items = if open_depth > MAX_OPEN_DEPTH { Vec::new() } else { vec![Item::Open; len.min(64)] };
        self.or_open(visitor, |visitor| visitor.visit_seq(Items { items, next: 0, open_depth }))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.or_open(visitor, |visitor| visitor.visit_map(Pairs::new(Vec::new(), 0)))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        let open_depth = self.open_depth + 1;
        let fields = if open_depth > MAX_OPEN_DEPTH { &[] } else { fields };
        let pairs = fields.iter().map(|field| (*field, Item::Open)).collect();
        self.or_open(visitor, |visitor| visitor.visit_map(Pairs::new(pairs, open_depth)))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        let open_depth = self.open_depth + 1;
        let expected = &"a word or a map with one key";
        match self.item.shape() {
            Shape::Text(word) => visitor.visit_enum(Variant { word, content: None, open_depth: 0 }),
            Shape::Map(pairs) => match pairs[..] {
                [(word, content)] => {
                    visitor.visit_enum(Variant { word, content: Some(content), open_depth: self.open_depth })
                }
                _ => Err(Mistake::invalid_type(Unexpected::Map, expected)),
            },
            Shape::Open => match variants.first().filter(|_| open_depth <= MAX_OPEN_DEPTH) {
                Some(word) => open(visitor.visit_enum(Variant { word, content: Some(Item::Open), open_depth })),
                None => open(Err(Mistake::custom("no word fits"))),
            },
            Shape::Null => Err(Mistake::invalid_type(Unexpected::Unit, expected)),
            Shape::Bool(value) => Err(Mistake::invalid_type(Unexpected::Bool(value), expected)),
            Shape::Number(number) => {
                Err(Mistake::invalid_type(Unexpected::Float(number.as_f64().unwrap_or(0.0)), expected))
            }
            Shape::List(_) => Err(Mistake::invalid_type(Unexpected::Seq, expected)),
        }
    }
}

struct Items<'a> {
    items: Vec<Item<'a>>,
    next: usize,
    open_depth: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Mistake;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Mistake> {
        let Some(item) = self.items.get(self.next).copied() else { return Ok(None) };
        let ix = self.next;
        self.next += 1;
        let one = One { item, open_depth: self.open_depth };
        seed.deserialize(one).map(Some).map_err(|mistake| item.judged(mistake).below(&ix.to_string()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len() - self.next)
    }
}

struct Pairs<'a> {
    pairs: std::vec::IntoIter<(&'a str, Item<'a>)>,
    value: Option<(&'a str, Item<'a>)>,
    open_depth: usize,
}

impl<'a> Pairs<'a> {
    fn new(pairs: Vec<(&'a str, Item<'a>)>, open_depth: usize) -> Self {
        Self { pairs: pairs.into_iter(), value: None, open_depth }
    }
}

impl<'de> MapAccess<'de> for Pairs<'_> {
    type Error = Mistake;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Mistake> {
        self.value = self.pairs.next();
        let Some((key, _)) = self.value else { return Ok(None) };
        let read = seed.deserialize(key.into_deserializer());
        read.map(Some).map_err(|mistake: Mistake| Mistake { is_about_key: true, ..mistake.below(key) })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Mistake> {
        let Some((key, item)) = self.value.take() else { return Err(Mistake::custom("a key has no value")) };
        let one = One { item, open_depth: self.open_depth };
        seed.deserialize(one).map_err(|mistake| item.judged(mistake).below(key))
    }
}

struct Variant<'a> {
    word: &'a str,
    content: Option<Item<'a>>,
    open_depth: usize,
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = Mistake;
    type Variant = Content<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Content<'a>), Mistake> {
        let value = seed.deserialize(self.word.into_deserializer())?;
        Ok((value, Content { word: self.word, content: self.content, open_depth: self.open_depth }))
    }
}

/// What stands beside the word of an enum.
struct Content<'a> {
    word: &'a str,
    content: Option<Item<'a>>,
    open_depth: usize,
}

impl<'a> Content<'a> {
    fn one(&self) -> Result<One<'a>, Mistake> {
        match self.content {
            Some(item) => Ok(One { item, open_depth: self.open_depth }),
            None => Err(Mistake {
                kind: Kind::Type(format!("must be a map `{{{}: …}}`", self.word)),
                ..Mistake::default()
            }),
        }
    }
}

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = Mistake;

    fn unit_variant(self) -> Result<(), Mistake> {
        match self.content {
            None | Some(Item::Open) => Ok(()),
            Some(Item::Arg(_) | Item::Json(_)) => {
                Err(Mistake::custom(format!("must be the word `{}` alone", self.word)))
            }
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Mistake> {
        seed.deserialize(self.one()?).map_err(|mistake| mistake.below(self.word))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Mistake> {
        self.one()?.deserialize_tuple(len, visitor).map_err(|mistake| mistake.below(self.word))
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Mistake> {
        self.one()?.deserialize_struct("", fields, visitor).map_err(|mistake| mistake.below(self.word))
    }
}
