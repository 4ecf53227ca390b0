//! The look of the hosted page, and the one place where text becomes HTML.

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#14181f;--soft:#5b6472;--line:#dfe3e9;--ground:#f3f5f8;--card:#fff;--accent:#0b5fff;--on:#fff;--bad:#b3261e;--badground:#fdecea;--good:#137a3e}
@media(prefers-color-scheme:dark){:root{--ink:#eceff4;--soft:#a3acba;--line:#343b47;--ground:#0f1217;--card:#191e26;--accent:#7aa7ff;--on:#0b1220;--bad:#ffb4ab;--badground:#3a1b19;--good:#6fd69a}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;display:grid;place-items:center;padding:1rem}
main{width:100%;max-width:27rem;background:var(--card);border:1px solid var(--line);border-radius:16px;padding:1.5rem 1.5rem 1.25rem;box-shadow:0 8px 30px rgb(0 0 0/.06)}
header{display:flex;align-items:center;justify-content:space-between;gap:1rem;margin-bottom:1rem;color:var(--soft);font-size:.875rem}
h1{font-size:1.35rem;line-height:1.25;margin:0 0 .4rem}
p{margin:.25rem 0 1rem;color:var(--soft)}
label{display:block;font-weight:600;margin:.9rem 0 .3rem}
select,input[type=text],input[type=password],input[type=search]{width:100%;font:inherit;color:inherit;padding:.65rem .8rem;border:1px solid var(--line);border-radius:10px;background:var(--ground)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
button{font:inherit;cursor:pointer;border-radius:10px;border:1px solid transparent}
.go{width:100%;margin-top:1.25rem;padding:.75rem 1rem;background:var(--accent);color:var(--on);font-weight:600}
a{color:var(--accent)}
a.go{display:block;text-align:center;text-decoration:none;border-radius:10px}
.quiet{background:none;color:var(--soft);padding:.4rem .6rem;text-decoration:underline}
.list{list-style:none;margin:1rem 0 0;padding:0;border:1px solid var(--line);border-radius:12px;max-height:22rem;overflow:auto}
.list li+li{border-top:1px solid var(--line)}
.list button,.list label{display:flex;align-items:center;gap:.8rem;width:100%;margin:0;padding:.75rem .9rem;background:none;color:inherit;text-align:left;font-weight:500;border-radius:0;cursor:pointer}
.list button:hover,.list label:hover{background:var(--ground)}
.list small{display:block;color:var(--soft);font-weight:400}
.list .end{margin-left:auto;text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
img{width:36px;height:36px;border-radius:8px;background:#fff;flex:none}
input[type=checkbox],input[type=radio]{width:1.15rem;height:1.15rem;accent-color:var(--accent);flex:none}
.bad{background:var(--badground);color:var(--bad);border-radius:10px;padding:.7rem .9rem;margin:.5rem 0}
.tick{width:3rem;height:3rem;border-radius:50%;display:grid;place-items:center;background:var(--good);color:var(--card);font-size:1.6rem;margin-bottom:.8rem}
details{margin-top:1.1rem;border-top:1px solid var(--line);padding-top:.8rem;color:var(--soft);font-size:.9rem}
summary{cursor:pointer}
code{background:var(--ground);border-radius:5px;padding:.05rem .3rem;overflow-wrap:anywhere}
dl{margin:.6rem 0 0;display:grid;gap:.45rem}dt{font-weight:600;color:var(--ink)}dd{margin:0}
footer{display:flex;justify-content:space-between;margin-top:1rem}
.found{color:var(--soft);font-size:.875rem;margin:.6rem 0 0}
fieldset{border:0;margin:0;padding:0}legend{font-weight:600;padding:0;margin-top:.9rem}
";

/// Text, made safe to stand in HTML or in a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(letter),
        }
    }
    safe
}

/// A whole page. `body` is HTML already; `title` and `corner` are text.
pub(crate) fn whole(title: &str, corner: &str, body: &str) -> String {
    let (title, corner) = (escape(title), escape(corner));
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><main><header><span>{corner}</span><span>Sandbox</span></header>{body}</main></body></html>"
    )
}

/// A page that only says something.
pub(crate) fn notice(title: &str, text: &str, good: bool) -> String {
    let tick = if good {
        "<div class=\"tick\" aria-hidden=\"true\">✓</div>"
    } else {
        ""
    };
    let body = format!("{tick}<h1>{}</h1><p>{}</p>", escape(title), escape(text));
    whole(title, "Link", &body)
}

/// What somebody sees who left.
pub(crate) fn left(hosted_id: &str) -> String {
    let body = format!(
        "<h1>Nothing was connected</h1><p>You can close this page, or <a href=\"/hl/{}\">start again</a>.</p>",
        escape(hosted_id)
    );
    whole("Nothing was connected", "Link", &body)
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_typed_becomes_markup() {
        assert_eq!(
            super::escape(r#"<b a="x" b='y'>&"#),
            "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;"
        );
    }
}
