/* The inner part of the price engine: a cart as figures in, what applies and what it takes off out.
 *
 * `../kernel.py` hands it the compiled rules as figures, and gets the objects of `../contracts.py` that an order is of.
 * Money is integers of the minor unit; products of money are 128 bits wide, so that nothing overflows. It keeps nothing
 * between two calls, uses no clock and no locale, and the same input gives the same output on every machine.
 *
 * split.c   splits an amount by weights                    (as base/money.py does)
 * reckon.c  what a benefit takes off, and by what weights it is split
 * apply.c   applies rules within the floors of the lines; what shipping costs; what points pay
 * search.c  branch and bound over rules that exclude each other
 * choose.c  the three steps to the best combination
 * settle.c  unit prices, the lines of each rule, and the two calls from outside
 * write.c   writes down what was decided: lines, steps, reductions, gifts, and the text that the trace's hash is of
 */
#ifndef TIDEGATE_KERNEL_H
#define TIDEGATE_KERNEL_H

#include "python.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t money;
typedef __int128 wide;
typedef uint8_t place; /* of a line in the cart */

enum {
    LINES_MAX = 200,
    BASIS_POINTS = 10000,
    PAID_MIN = 1,           /* an order pays at least that */
    NEGLECTED = 2,          /* minor units for which nothing is searched: what rounding of percentages could gain */
    CONTESTED_MAX = 4,      /* of more contested lines not every way of leaving some to rivals is tried */
    GIFTS_MAX = 1000000000, /* units that one rule gives at most: no sum of them is beyond 64 bits */
    NO_RULE = -1,
};

/* Weighs one minor unit of money against the value of gifts, so that any money is more than all gifts. */
#define MONEY_WEIGHT ((wide)1 << 56)

enum stage { PRICE, SHOP, PLATFORM, SHIPPING, POINTS };
enum kind { PLAIN, AMOUNT, PERCENT, PIECE, BUNDLE, GIFT, REACH, PAY };

/* One compiled rule. All fields are 64 bits wide, as `kernel.py` packs them, in this order. */
typedef struct {
    int64_t stage;
    int64_t kind;
    int64_t by_pieces;  /* thresholds count pieces, not money */
    int64_t every;      /* the only step as often as it is reached */
    int64_t cap;        /* at most that much off; 0: no cap */
    int64_t times_max;  /* 0: as often as it is reached */
    int64_t group;      /* pieces that belong together, of which ... */
    int64_t cheap;      /* ... so many are ... */
    int64_t off;        /* ... that much cheaper, in basis points; of points, the share of the goods that they pay */
    int64_t price;      /* of a bundle; of one minor unit, in points */
    int64_t value;      /* of one unit of a gift, in minor units */
    int64_t gift;       /* the product that is given */
    int64_t steps;      /* how many steps (reach, off), or parts of a bundle */
    int64_t at;         /* where these stand among the figures */
    int64_t foes;       /* which row of foes; NO_RULE: excludes nobody */
    int64_t kept_from;  /* of a price of its own: which row it keeps its goods from; NO_RULE: none */
    int64_t exclusion;  /* number of its exclusion group; 0: none */
    int64_t counted;    /* it has counters */
    int64_t name;       /* which of the names is its id */
    int64_t bearers;    /* how many bear it; 0: the shops whose goods they are */
    int64_t bearers_at; /* where these stand among the figures: bearer, share, ... */
} Rule;

typedef struct {
    int64_t floor;  /* of one unit */
    int64_t rules;  /* where the bits of the rules that concern it stand, ended by NO_RULE */
    int64_t prices; /* where its prices of its own stand: price, bit, ... lowest first, ended by NO_RULE; or NO_RULE */
    int64_t name;   /* which of the names is its SKU */
    int64_t shop;   /* its shop's place in the alphabet of shops */
    int64_t unit_price; /* of its offer */
    int64_t list_price;
} Product;

/* What the answer is made of: types, and the words of steps. */
typedef struct {
    PyObject *decided, *line, *share, *reduction, *borne, *gift, *step;
    PyObject *kind_list_price, *kind_offer;
    PyObject *list_name, *list_label;
    PyObject *shipping_step, *free_shipping_step;
} Words;

typedef struct {
    int64_t rule_count;
    int64_t words; /* 64-bit words of a mask of rules */
    const Rule *rules;
    const Product *products;
    const int64_t *figures; /* steps, parts, lists */
    const uint64_t *masks;  /* rows of `words` words */
    const char *names;      /* one after the other */
    const int64_t *name_at; /* where each begins; one more: where the last ends */
    int64_t shop_names;     /* which name is that of the first shop */
    int64_t bearer_names;   /* ... of the first bearer, "shop" */
    const Words *words_of;
    PyObject *const *objects;     /* the names as objects */
    PyObject *const *rule_kinds;  /* of the step of each rule */
    PyObject *const *rule_labels; /* ... and its label */
    PyObject *const *offer_labels;
} Book;

typedef struct {
    int64_t product;
    int64_t units;
} Line;

/* A cart that is asked about, and what it is asked with. */
typedef struct {
    const uint64_t *mask;   /* the rules that are open to the shopper at this moment */
    const uint64_t *barred; /* those of them that nothing is left of */
    int64_t fee;            /* full cost of shipping */
    int64_t free_from;      /* NO_RULE: never free by the amount alone */
    int64_t points;         /* that the shopper wants to spend, at most */
    int64_t work_max;       /* lines looked at in one search */
    int64_t searched_max;   /* more candidates than that are not searched */
    int64_t line_count;
    Line lines[];
} Asked;

/* The price of one unit, and the rule whose price it is. */
typedef struct {
    money price;
    int64_t rule;
} Unit;

/* A set of lines. */
typedef struct {
    uint64_t word[4];
} Set;

/* The lines that a rule counts, in the order of the cart, and what it takes off them before anything else did. */
typedef struct {
    const Rule *rule;
    int64_t bit;
    const place *at;
    int count;
    int64_t off, times;
} Row;

/* A rule with those of its lines that it is applied to. */
typedef struct {
    const Row *row;
    const place *at;
    int count;
} Pick;

/* What one rule did: minor units off (of a gift: units given), of which lines, how often, what was given up. */
typedef struct {
    Pick pick;
    money off, times, given_up;
    const money *parts; /* by line; of a gift none */
} Applied;

typedef struct {
    int count;
    Applied *each;
    money *left; /* what each line has still to pay */
} Done;

typedef struct Chunk Chunk;

typedef struct {
    Chunk *chunk;
    size_t used;
} Mark;

/* One cart that is being settled. */
typedef struct {
    const Book *book;
    const Asked *asked;
    int lines;
    money *base; /* what each line costs */
    money *units;
    money *floors;      /* what each line must at least pay */
    const Row *freeing; /* rules that make shipping free */
    int freeing_count;
    Mark top;
    jmp_buf *no_memory;
} Job;

/* Memory of a job: taken piece by piece, given back down to a mark. Never fails: it jumps to `no_memory`. */
void *take(Job *job, size_t bytes);
#define TAKE(job, type, count) ((type *)take((job), sizeof(type) * (size_t)(count)))
void *copy(Job *job, const void *from, size_t bytes);
bool begin_memory(Job *job);

static inline bool has(const Set *set, int at) { return set->word[at >> 6] >> (at & 63) & 1; }
static inline void put(Set *set, int at) { set->word[at >> 6] |= (uint64_t)1 << (at & 63); }
Set set_of(const place *at, int count);
static inline Set both(Set one, Set other)
{
    for (int i = 0; i < 4; i++) one.word[i] &= other.word[i];
    return one;
}
static inline Set either(Set one, Set other)
{
    for (int i = 0; i < 4; i++) one.word[i] |= other.word[i];
    return one;
}
static inline Set without(Set one, Set other)
{
    for (int i = 0; i < 4; i++) one.word[i] &= ~other.word[i];
    return one;
}
static inline bool is_empty(Set set) { return !(set.word[0] | set.word[1] | set.word[2] | set.word[3]); }
static inline bool same(Set one, Set other)
{
    return one.word[0] == other.word[0] && one.word[1] == other.word[1] && one.word[2] == other.word[2] &&
           one.word[3] == other.word[3];
}
static inline int size_of(Set set)
{
    int size = 0;
    for (int i = 0; i < 4; i++) size += __builtin_popcountll(set.word[i]);
    return size;
}

static inline bool in_mask(const uint64_t *mask, int64_t bit) { return mask[bit >> 6] >> (bit & 63) & 1; }
/* Whether two rules may not share a line. */
static inline bool are_foes(const Book *book, const Rule *rule, int64_t other)
{
    return rule->foes != NO_RULE && in_mask(book->masks + rule->foes * book->words, other);
}

/* split.c */
void split(money total, const money *weights, int count, money *shares);
void split_within(money total, const money *weights, const money *caps, int count, money *shares);

/* reckon.c: what a rule takes off these lines when they have `base` to pay, and how many times it applies. */
money reckon(const Job *job, const Rule *rule, const place *at, int count, const money *base, money *times);
void weigh(const Job *job, const Rule *rule, const place *at, int count, const money *base, money *weights);
money reached(const Rule *rule, const place *at, int count, const money *base, const money *units);
money step_at(const Book *book, const Rule *rule, money reach);

/* apply.c */
bool take_off(Job *job, const Pick *pick, const money *base, money *left, Applied *applied);
Done apply_stage(Job *job, const Pick *picks, int count, const money *base);
Done apply_all(Job *job, const Pick *picks, int count);
money fee_of(const Job *job, const money *left, const Pick *picks, int count, int64_t *freed_by);
money sum_of(const money *amounts, int count);

/* A rule that could take something off; `foes` are the later candidates that may not share its lines. */
typedef struct {
    Pick pick;
    Set set;
    wide most;
    int *foes;
    int foe_count;
} Candidate;

/* search.c */
typedef struct {
    wide best;
    wide bound; /* an upper bound of all */
    Pick *chosen;
    int chosen_count;
    bool stopped; /* before all was proven */
} Found;

/* `fees`: shipping counts; `loose`: as if no floor bound. `found` holds the best that is known already, or -1. */
void search(Job *job, const Candidate *candidates, int count, const money *base, bool fees, bool loose, Found *found);
wide worth_of(const Rule *rule, money off);

/* choose.c */
typedef struct {
    Done done;
    money regret;
} Choice;

Choice choose(Job *job, const Row *rows, int count);
void find_foes(Job *job, Candidate *candidates, int count);

bool spend_points(Job *job, const Row *row, Done *done, Applied *paid);

/* All that was decided. */
typedef struct {
    const Line *lines;
    const Unit *units;
    const Row *rows; /* all that the rules count, whether they apply or not */
    int row_count;
    Choice choice;
    money fee;
    int64_t freed_by;
    const Applied *points; /* NULL: none were spent */
} Decided;

/* write.c */
PyObject *write_decided(Job *job, const Decided *decided);
PyObject *write_rows(Job *job, const Row *rows, int count);

#endif
