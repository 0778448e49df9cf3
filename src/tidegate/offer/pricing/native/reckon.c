/* What a benefit takes off: each kind knows how much, and by what weights it is split.
 *
 * No line is ever taken apart into its units: pieces are runs of equal price. All kinds take off at least as much when
 * more counts, which is what the bounds of the search rest on. */
#include "kernel.h"

/* A part of an amount, rounded up: in the buyer's favour (order 56 of SAMR, article 21). */
static money part_of(money amount, money basis_points)
{
    return (money)(((wide)amount * basis_points + BASIS_POINTS - 1) / BASIS_POINTS);
}

static money times(money each, money count)
{
    wide product = (wide)each * count;
    return product > INT64_MAX / 4 ? INT64_MAX / 4 : (money)product;
}

static money capped(money off, money cap) { return cap && off > cap ? cap : off; }

static money sum_at(const money *amounts, const place *at, int count)
{
    money sum = 0;
    for (int i = 0; i < count; i++) sum += amounts[at[i]];
    return sum;
}

money reached(const Rule *rule, const place *at, int count, const money *base, const money *units)
{
    return sum_at(rule->by_pieces ? units : base, at, count);
}

/* What the highest reached step takes off, 0 for none. */
money step_at(const Book *book, const Rule *rule, money reach)
{
    const int64_t *step = book->figures + rule->at;
    money off = 0;
    for (int i = 0; i < rule->steps && step[2 * i] <= reach; i++) off = step[2 * i + 1];
    return off;
}

/* 满减: the highest step, or the only one as often as it is reached. */
static money by_amount(const Job *job, const Rule *rule, money reach, money *often)
{
    const int64_t *step = job->book->figures + rule->at;
    *often = 1;
    if (!rule->every) return capped(step_at(job->book, rule, reach), rule->cap);
    *often = step[0] ? reach / step[0] : 1;
    if (rule->times_max && *often > rule->times_max) *often = rule->times_max;
    return capped(times(step[1], *often), rule->cap);
}

typedef struct {
    money price, units;
    int number;
} Run;

/* The lines as runs of pieces of equal price, dearest first, then in the order of the cart. */
static void runs_of(const Job *job, const place *at, int count, const money *base, Run *runs)
{
    for (int i = 0; i < count; i++) {
        Run run = {base[at[i]] / job->units[at[i]], job->units[at[i]], i};
        int to = i;
        for (; to > 0 && runs[to - 1].price < run.price; to--) runs[to] = runs[to - 1];
        runs[to] = run;
    }
}

static money groups_of(const Rule *rule, money pieces)
{
    money groups = pieces / rule->group;
    return rule->times_max && groups > rule->times_max ? rule->times_max : groups;
}

/* How many of the first pieces are the cheaper ones of their group. */
static money cheap_before(const Rule *rule, money position)
{
    money rest = position % rule->group - (rule->group - rule->cheap);
    return position / rule->group * rule->cheap + (rest > 0 ? rest : 0);
}

/* N for M and nth piece: of every complete group, dearest first, the last `cheap` are `off` cheaper. */
static money by_piece(const Job *job, const Rule *rule, const place *at, int count, const money *base, money *often)
{
    money pieces = sum_at(job->units, at, count), groups = groups_of(rule, pieces);
    *often = groups;
    if (!groups) return 0;
    if (count == 1) return times(groups * rule->cheap, part_of(base[at[0]] / pieces, rule->off));
    Run runs[LINES_MAX];
    runs_of(job, at, count, base, runs);
    money end = groups * rule->group, start = 0, before = 0, off = 0;
    for (int i = 0; i < count && start < end; i++) {
        start = start + runs[i].units < end ? start + runs[i].units : end;
        money cheap = cheap_before(rule, start);
        off += times(cheap - before, part_of(runs[i].price, rule->off));
        before = cheap;
    }
    return off;
}

/* 套餐: what the parts cost alone less the price, as many times as they are there. */
static money by_bundle(const Job *job, const Rule *rule, const place *at, int count, const money *base, money *often)
{
    const int64_t *parts = job->book->figures + rule->at;
    *often = 0;
    if (count < rule->steps) return 0;
    money most = rule->times_max ? rule->times_max : job->units[at[0]], alone = 0;
    for (int i = 0; i < count; i++) {
        money there = job->units[at[i]] / parts[i];
        if (there < most) most = there;
        alone += parts[i] * (base[at[i]] / job->units[at[i]]);
    }
    if (alone <= rule->price) return 0;
    *often = most;
    return times(alone - rule->price, most);
}

/* 赠品: how many units come free. */
static money by_gift(const Job *job, const Rule *rule, money reach, money *often)
{
    const int64_t *step = job->book->figures + rule->at;
    *often = reach < step[0] ? 0 : rule->every && step[0] ? reach / step[0] : 1;
    if (rule->times_max && *often > rule->times_max) *often = rule->times_max;
    return capped(times(step[1], *often), GIFTS_MAX);
}

money reckon(const Job *job, const Rule *rule, const place *at, int count, const money *base, money *often)
{
    *often = 1;
    switch ((enum kind)rule->kind) {
    case AMOUNT:
        return by_amount(job, rule, reached(rule, at, count, base, job->units), often);
    case PERCENT: {
        money amount = sum_at(base, at, count);
        money reach = rule->by_pieces ? sum_at(job->units, at, count) : amount;
        return capped(part_of(amount, step_at(job->book, rule, reach)), rule->cap);
    }
    case PIECE:
        return by_piece(job, rule, at, count, base, often);
    case BUNDLE:
        return by_bundle(job, rule, at, count, base, often);
    case GIFT:
        return by_gift(job, rule, reached(rule, at, count, base, job->units), often);
    case REACH:
        return step_at(job->book, rule, reached(rule, at, count, base, job->units));
    case PLAIN:
    case PAY:
        break;
    }
    *often = 0;
    return 0;
}

/* By what the amount is split: what the lines have to pay; of pieces and bundles, only the units that are in one. */
void weigh(const Job *job, const Rule *rule, const place *at, int count, const money *base, money *weights)
{
    if (rule->kind == PIECE) {
        Run runs[LINES_MAX];
        runs_of(job, at, count, base, runs);
        money end = groups_of(rule, sum_at(job->units, at, count)) * rule->group, start = 0;
        for (int i = 0; i < count; i++) {
            money stop = start + runs[i].units < end ? start + runs[i].units : end;
            weights[runs[i].number] = (stop - start) * runs[i].price;
            start = stop;
        }
    } else if (rule->kind == BUNDLE) {
        const int64_t *parts = job->book->figures + rule->at;
        for (int i = 0; i < count; i++) weights[i] = parts[i] * (base[at[i]] / job->units[at[i]]);
    } else {
        for (int i = 0; i < count; i++) weights[i] = base[at[i]];
    }
}
