//! Templates that ask for too much.

use super::{context, fails, renders};
use crate::template::{check, check_expression, render_text};

const TOO_MUCH: &str = "template makes more than 16 MiB of text";

#[test]
fn work_and_size_are_bounded() {
    let cx = context();
    let loops = "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% endfor %}{% endfor %}{% endfor %}";
    fails(&cx, loops, "template takes more than 1,000,000 steps", None);
    fails(&cx, "{{ 'x' * 5000000 }}", "result is longer than 4 MiB", None);
    fails(&cx, "{{ 'x' * 99999999999 }}", "template makes more than 16 MiB of text", None);
    fails(
        &cx,
        "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "template makes more than 16 MiB of text",
        None,
    );
    let raw = format!("{{% for i in range(9000) %}}{}{{% endfor %}}", "x".repeat(20_000));
    fails(&cx, &raw, "template makes more than 16 MiB of text", None);
    assert!(render_text("{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}", &cx).is_err());
    let nested = format!("{{{{ {}1{} }}}}", "[".repeat(5000), "]".repeat(5000));
    assert!(check(&nested).is_err());
    let parens = format!("{{{{ {}1{} }}}}", "(".repeat(50_000), ")".repeat(50_000));
    assert!(check(&parens).is_err());
    let filters = format!("{{{{ 1{} }}}}", " | string".repeat(5000));
    let _ = check(&filters);
    let deep = "{% set ns = namespace(l=[]) %}{% for i in range(3000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}";
    fails(&cx, deep, "value is nested more than 100 deep", None);
}

#[test]
fn whatever_makes_text_is_counted() {
    let makers = "x|upper x|lower x|trim x|title x|capitalize x|string x|replace('a','b') x|shquote x|urlencode \
                  x|escape x|safe x|reverse x|indent x|tojson x|pprint x|center x|striptags x|truncate(9000000) x|e \
                  x|format [x]|join [x]|join('') ''.join([x]) x.upper() x.lower() x.strip() x.title() x.capitalize() \
                  x.swapcase() x.casefold() x.replace('a','b') x.ljust(9) x.rjust(9) x.removeprefix('a') x.format() \
                  ('%s'%x) ('x'~x) (x+'x') x[1:] x[::-1] x|default('') ('a'~x).zfill(9) macros.json.dumps(x) \
                  [x]|map('upper')|first [x]|map('upper')|list|first [x]|map('replace','a','b')|first";
    for maker in makers.split(' ').filter(|maker| !maker.is_empty()) {
        let source = format!(
            "{{% set most = '-' * [15000000][0] %}}{{% set x = 'x' * 100000 %}}{{% set ns = namespace(all=[]) %}}\
             {{% for i in range(N) %}}{{% set ns.all = ns.all + [{maker}] %}}{{% endfor %}}{{{{ ns.all | length }}}}"
        );
        renders(&source.replace('N', "3"), "3");
        fails(&context(), &source.replace('N', "40"), TOO_MUCH, None);
    }
}

#[test]
fn constants_are_measured_before_they_are_compiled() {
    let cx = context();
    for source in [
        "{{ 'x' * 100000000 }}",
        "{{ 100000000 * 'x' }}",
        "{{ 'x' * (10 ** 8) }}",
        "{{ 'x' * -(-100000000) }}",
        "{{ 'x' * 1000 * 1000 * 100 }}",
        "{{ 'x' * (1000 // 0.00001) }}",
        "{{ 'x' * 100000000 * (0 * 10.0 ** 400) }}",
        "{{ [1, 2] * 10000000 }}",
        "{{ (1, 2) * 10000000 }}",
        "{% if 'x' * 100000000 == ds %}{% endif %}",
        "{{ ds if 'x' * 100000000 else ts }}",
        "{% for i in 'x' * 100000000 %}{% endfor %}",
        "{% set x = {'a': ds, 'b': 'x' * 100000000} %}",
        "{% macro f(x='x' * 100000000) %}{% endmacro %}",
        "{% macro f(x) %}{{ 'x' * 100000000 }}{% endmacro %}",
        "{{ ds | replace('a', 'x' * 100000000) }}",
        "{{ macros.json.dumps('x' * 100000000) }}",
        "{{ ds[:1 * 'x' * 100000000] }}",
        "{{ ('x' * 100000000).upper() }}",
        "{% block b %}{{ 'x' * 100000000 }}{% endblock %}",
        "{% with x = 'x' * 100000000 %}{% endwith %}",
        "{% filter replace('a', 'x' * 100000000) %}{% endfilter %}",
    ] {
        fails(&cx, source, TOO_MUCH, None);
        assert!(check(source).is_err(), "{source}");
    }
    assert!(check(&"{{ 'x' * 1000000 }}".repeat(20)).is_err());
    assert!(check_expression("'x' * 100000000 == ds").is_err());
    renders("{{ '%d' % (3600 * 24 * 365 * 1000) }}{{ 'ab' * (9 // 4) ~ 2 ** 10 }}", "31536000000abab1024");
}

#[test]
fn one_text_in_a_list_many_times_is_counted_when_each_is_changed() {
    let cx = context();
    fails(&cx, "{% set x = ['x' * 1000000] * 1000 %}{{ x | map('upper') | list | length }}", TOO_MUCH, None);
    renders("{{ ['a', 'b'] | map('upper') | join }}{{ [{'a': 1}] | map(attribute='a') | join }}", "AB1");
    renders("{{ ['a,b'] | map('replace', ',', '-') | join }}{{ [] | map('upper') | list }}", "a-b[]");
    assert!(render_text("{{ [] | map('nonsense') | list }}", &cx).is_err());
}

#[test]
fn a_pattern_is_not_filled_beyond_the_limit() {
    let cx = context();
    for pattern in [
        "{{ ('{0}' * 100000).format('x' * 1000000) }}",
        "{{ ('{a}' * 100000).format(a='x' * 1000000) }}",
        "{{ ('%(a)s' * 100000) % {'a': 'x' * 1000000} }}",
        "{{ ('%s' * 1000) % ((('x' * 1000000,) * 1000)) }}",
        "{{ ('a' * 1000000).replace('a', 'x' * 1000000) | length }}",
        "{{ ('x' * 1000000).join('y' * 1000) | length }}",
    ] {
        fails(&cx, pattern, TOO_MUCH, None);
    }
    renders("{{ '{{' * 3 ~ '{}' }}{{ ('%' * 4) % () }}{{ '{0}{0}'.format('ab') }}", "{{{{{{{}%%abab");
}

#[test]
fn a_long_text_is_not_made_a_list() {
    let cx = context();
    for how in
        ["|list", "|sort", "|unique|list", "|split(',')", "|lines", "|batch(1)|list", "|slice(9)|list", ".split(',')"]
    {
        let source = format!("{{% set x = ',' * 2000000 %}}{{{{ x{how}|length }}}}");
        fails(&cx, &source, "a text longer than 1 MiB cannot be made a list", None);
    }
    let source = "{% for i in range(30) %}{% set x = (',' * 100000).split(',') %}{% endfor %}";
    fails(&cx, source, TOO_MUCH, None);
    renders("{{ ('a,' * 500).split(',') | length }}", "501");
}
