//! The sentences of the articles, as patterns.
//!
//! Data only. In a pattern, `~` and a letter stand for something that
//! [`article`](super::article) fills in from [`vocabulary`](super::vocabulary):
//!
//! | mark | filled with | mark | filled with |
//! |---|---|---|---|
//! | `~t` | the article's title | `~c` | a link to another country |
//! | `~n` | a noun | `~l` | a link to a topic |
//! | `~a` | an adjective | `~e` | an invented place |
//! | `~v` | a past participle | `~y` | a year |
//! | `~g` | a group of people | `~q` | a large number |
//! | `~m` | a month | `~p` | a percentage |

/// Whole sentences, each with its full stop.
pub(super) const SENTENCES: [&str; 48] = [
    "The ~a ~n of ~e was ~v in ~y, when ~c and ~c settled a long dispute over ~l.",
    "According to the census of ~y, about ~p per cent of the ~g lived within ~q metres of ~e.",
    "By ~y the ~n had been ~v twice, and most of its ~ns passed to the ~g of ~e.",
    "Several ~a ~ns between ~e and ~e are still in use, though few of them were ~v after ~y.",
    "~t has kept a ~a relationship with ~c since ~y, mainly through ~l and ~l.",
    "The region around ~e is known for its ~a ~ns, its ~a ~n and a ~a tradition of ~l.",
    "In ~m ~y the government ~v a ~a ~n, which the ~g received with little enthusiasm.",
    "Exports to ~c rose from ~q tonnes in ~y to ~q tonnes a decade later.",
    "Much of the ~n lies on a ~a plateau that slopes from ~e towards the ~n of ~e.",
    "Historians disagree on whether the ~n was ~v by the ~g or brought from ~c.",
    "The average household spends ~p per cent of its income on ~l, and ~p per cent on ~l.",
    "A ~a ~n, ~v in ~y, links ~e with ~e and carries some ~q passengers a year.",
    "Its ~n is often compared with that of ~c, but the two differ in ~l and in ~l.",
    "The ~g of ~e speak a ~a dialect, which was first ~v by travellers in ~y.",
    "Since ~y the share of ~l in the national accounts has fallen to ~p per cent.",
    "Rainfall in ~e reaches ~q millimetres in ~m, which leaves the ~n ~a for weeks.",
    "The ~n was ~v again in ~y, this time under a ~a agreement with ~c and ~c.",
    "Some ~q ~g moved to ~e between ~y and ~y, drawn by ~l and ~a ~ns.",
    "Among the ~a ~ns of the period, the one at ~e remains the best preserved.",
    "Reforms of ~l began in ~m ~y and were ~v only after ~c had withdrawn its objections.",
    "The capital's ~n has been ~v by fire three times, most recently in ~m ~y.",
    "Critics have called the ~n ~a and ~a, while its supporters point to the results in ~l.",
    "No ~n of comparable size is found in ~c, although a ~a one was ~v there in ~y.",
    "In the north, the ~g keep ~a ~ns and grow crops on terraces ~v before ~y.",
    "A survey of ~q ~g found that ~p per cent considered ~l more urgent than ~l.",
    "The coast near ~e, once a ~a harbour, was ~v when the river changed its course in ~y.",
    "Trade with ~c, ~c and ~c accounts for ~p per cent of all ~l.",
    "From ~y to ~y the ~n of ~e was the largest employer, with ~q ~g on its books.",
    "The constitution of ~y describes ~l as a ~a duty of the ~g.",
    "Visitors from ~c make up about ~p per cent of arrivals, most of them between ~m and ~m.",
    "The ~a forests of ~e shelter ~q recorded species, of which ~p per cent are endemic.",
    "A ~a railway between ~e and the border with ~c was ~v but never built.",
    "Under the treaty of ~e, signed in ~m ~y, ~c gave up its claims to the ~n.",
    "The national ~n is ~v every year on the first Sunday of ~m.",
    "Literacy stood at ~p per cent in ~y, above that of ~c but below that of ~c.",
    "What remains of the ~a ~n can be seen in the museum of ~e, next to the ~n.",
    "The ~g were ~v from voting until ~y, a restriction that ~c had dropped much earlier.",
    "Hydrologists expect the ~n of ~e to shrink by ~p per cent before the end of the century.",
    "The dish, made with ~a grain and served in ~m, is shared with parts of ~c.",
    "Inflation reached ~p per cent in ~m ~y, after which the currency was ~v.",
    "A ~a network of ~ns, some ~q kilometres long, serves the ~g of the interior.",
    "Between ~e and ~e the road climbs ~q metres and crosses two ~a ~ns.",
    "The port handled ~q containers in ~y, nearly all of them bound for ~c.",
    "Its ~a climate favours ~l, which employs ~p per cent of the ~g.",
    "After ~y, ~l gave way to ~l, and the ~n of ~e lost much of its importance.",
    "The earliest known mention of ~t is a ~a ~n ~v at ~e around ~y.",
    "Opinion polls taken in ~m ~y put support for the ~n at ~p per cent.",
    "Scholars from ~c and ~t have ~v the ~n of ~e together since ~y.",
];
