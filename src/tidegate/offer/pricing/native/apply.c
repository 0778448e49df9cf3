/* Applies rules to lines, exactly: what a rule takes off, split over its lines within their floors.
 *
 * All rules of a stage reckon with what the stage before left to pay; what is left only bounds them. An order pays at
 * least one minor unit, and no line less than the floor of its goods: what does not fit goes to the rule's other lines,
 * and what fits nowhere is given up. */
#include "kernel.h"

#include <string.h>

money sum_of(const money *amounts, int count)
{
    money sum = 0;
    for (int i = 0; i < count; i++) sum += amounts[i];
    return sum;
}

static money least(money one, money other) { return one < other ? one : other; }

static money reckon_pick(const Job *job, const Pick *pick, const money *base, money *often)
{
    if (base == job->base && pick->at == pick->row->at) {
        *often = pick->row->times;
        return pick->row->off;
    }
    return reckon(job, pick->row->rule, pick->at, pick->count, base, often);
}

/* Whether each line keeps its floor, and some line anything at all. */
static bool fits(const Job *job, const Pick *pick, const money *parts, const money *left)
{
    bool keeps = false;
    for (int i = 0; i < pick->count; i++) {
        money rest = left[pick->at[i]] - parts[i];
        if (rest < job->floors[pick->at[i]]) return false;
        keeps = keeps || rest > 0;
    }
    return keeps;
}

/* What each line of several gives; returns what they give in all. */
static money share(Job *job, const Pick *pick, money off, const money *base, const money *left, money *parts)
{
    money weights[LINES_MAX], caps[LINES_MAX];
    weigh(job, pick->row->rule, pick->at, pick->count, base, weights);
    split(off, weights, pick->count, parts);
    if (fits(job, pick, parts, left)) return off;
    for (int i = 0; i < pick->count; i++) {
        money room = left[pick->at[i]] - job->floors[pick->at[i]];
        caps[i] = room > 0 ? room : 0;
    }
    split_within(least(off, sum_of(left, job->lines) - PAID_MIN), weights, caps, pick->count, parts);
    return sum_of(parts, pick->count);
}

/* Apply one rule to `left`; whether it took anything off. */
bool take_off(Job *job, const Pick *pick, const money *base, money *left, Applied *applied)
{
    money often, off = reckon_pick(job, pick, base, &often), taken;
    if (off <= 0) return false;
    *applied = (Applied){.pick = *pick, .off = off, .times = often};
    if (pick->row->rule->kind == GIFT) return true;
    money *parts = TAKE(job, money, pick->count);
    if (pick->count == 1) {
        int at = pick->at[0];
        taken = least(off, left[at] - job->floors[at]);
        if (left[at] <= off) taken = least(taken, sum_of(left, job->lines) - PAID_MIN);
        if (taken <= 0) return false;
        parts[0] = taken;
    } else {
        taken = share(job, pick, off, base, left, parts);
    }
    for (int i = 0; i < pick->count; i++) left[pick->at[i]] -= parts[i];
    applied->off = taken;
    applied->given_up = off - taken;
    applied->parts = parts;
    return taken != 0;
}

/* Apply rules of one stage, before which each line has `base` left to pay. */
Done apply_stage(Job *job, const Pick *picks, int count, const money *base)
{
    Done done = {0, TAKE(job, Applied, count), copy(job, base, sizeof(money) * (size_t)job->lines)};
    for (int i = 0; i < count; i++)
        if (take_off(job, &picks[i], base, done.left, &done.each[done.count])) done.count++;
    return done;
}

/* Apply rules of several stages in turn. */
Done apply_all(Job *job, const Pick *picks, int count)
{
    Done done = {0, TAKE(job, Applied, count), job->base};
    for (int from = 0, to; from < count; from = to) {
        for (to = from; to < count && picks[to].row->rule->stage == picks[from].row->rule->stage;) to++;
        Done stage = apply_stage(job, picks + from, to - from, done.left);
        memcpy(done.each + done.count, stage.each, sizeof(Applied) * (size_t)stage.count);
        done.count += stage.count;
        done.left = stage.left;
    }
    return done;
}

/* Whether a rule that makes shipping free is out: one that it excludes has a line of its own. */
static bool is_blocked(const Job *job, const Row *row, const Pick *picks, int count)
{
    if (row->rule->foes == NO_RULE) return false;
    Set mine = set_of(row->at, row->count);
    for (int i = 0; i < count; i++)
        if (are_foes(job->book, row->rule, picks[i].row->bit))
            for (int j = 0; j < picks[i].count; j++)
                if (has(&mine, picks[i].at[j])) return true;
    return false;
}

/* What shipping costs when the lines have so much left to pay after these rules, and the rule that made it free. */
money fee_of(const Job *job, const money *left, const Pick *picks, int count, int64_t *freed_by)
{
    const Asked *asked = job->asked;
    if (freed_by) *freed_by = NO_RULE;
    if (!asked->fee) return 0;
    if (asked->free_from != NO_RULE && sum_of(left, job->lines) >= asked->free_from) return 0;
    for (int i = 0; i < job->freeing_count; i++) {
        const Row *row = &job->freeing[i];
        money often;
        if (is_blocked(job, row, picks, count)) continue;
        if (!reckon(job, row->rule, row->at, row->count, left, &often)) continue;
        if (freed_by) *freed_by = row->bit;
        return 0;
    }
    return asked->fee;
}

/* Pay a part of the goods with points by this rule; never a line's floor or the last minor unit. */
bool spend_points(Job *job, const Row *row, Done *done, Applied *paid)
{
    for (int i = 0; i < done->count; i++)
        if (done->each[i].pick.row->rule->kind != GIFT && are_foes(job->book, row->rule, done->each[i].pick.row->bit))
            return false;
    money weights[LINES_MAX], caps[LINES_MAX], *parts = TAKE(job, money, row->count);
    for (int i = 0; i < row->count; i++) {
        money left = done->left[row->at[i]], room = left - job->floors[row->at[i]];
        weights[i] = left;
        caps[i] = room > 0 ? room : 0;
    }
    money most = (money)((wide)sum_of(weights, row->count) * row->rule->off / BASIS_POINTS);
    most = least(most, job->asked->points / row->rule->price);
    most = least(most, sum_of(done->left, job->lines) - PAID_MIN);
    if (most <= 0) return false;
    split_within(most, weights, caps, row->count, parts);
    money off = sum_of(parts, row->count);
    if (!off) return false;
    done->left = copy(job, done->left, sizeof(money) * (size_t)job->lines);
    for (int i = 0; i < row->count; i++) done->left[row->at[i]] -= parts[i];
    *paid = (Applied){.pick = {row, row->at, row->count}, .off = off, .times = 1, .parts = parts};
    return true;
}
