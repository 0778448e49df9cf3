/* Chooses the best combination of rules for the shopper: branch and bound, bounded, the same for the same input.
 *
 * A combination is a set of rules and, where two of them may not share a line, which of the two has it. A rule always
 * has all its lines but those that such a rival has. Its worth is the money taken off, shipping included; among equals,
 * the value of gifts. Three steps, each only if the one before cannot prove that it has the best:
 *
 * 1. nothing excludes anything and no threshold of a later stage is lost by an earlier reduction: all rules apply;
 * 2. stage by stage, each knot of rules that exclude each other is solved on its own;
 * 3. all rules together, from the better of that and of "the lower priority first" on, until the work allowed is done.
 *
 * What then remains unproven is the regret: no combination is better by more than that. */
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

/* Find who may not share a line with whom: each candidate knows its later ones. */
void find_foes(Job *job, Candidate *candidates, int count)
{
    int *found = TAKE(job, int, count);
    for (int i = 0; i < count; i++) {
        const Row *row = candidates[i].pick.row;
        candidates[i].foe_count = 0;
        if (row->rule->foes == NO_RULE) continue;
        int foes = 0;
        for (int j = i + 1; j < count; j++)
            if (are_foes(job->book, row->rule, candidates[j].pick.row->bit) &&
                !is_empty(both(candidates[i].set, candidates[j].set)))
                found[foes++] = j;
        candidates[i].foe_count = foes;
        candidates[i].foes = foes ? copy(job, found, sizeof(int) * (size_t)foes) : NULL;
    }
}

/* ---- step 1 */

/* Whether the rules of the later stage reach the same steps as if nothing had been taken off before. */
static bool keeps_steps(Job *job, const Pick *all, int count, const Done *done)
{
    money *base = copy(job, job->base, sizeof(money) * (size_t)job->lines), smallest = 0, often;
    for (int i = 0; i < done->count; i++) {
        const Applied *each = &done->each[i];
        if (each->pick.row->rule->stage != SHOP || each->pick.row->rule->kind == GIFT) continue;
        smallest = smallest && smallest < each->off ? smallest : each->off;
        for (int j = 0; j < each->pick.count; j++) base[each->pick.at[j]] -= each->parts[j];
    }
    money rates = 0, rounded = 0;
    for (int i = 0; i < count; i++) {
        const Pick *pick = &all[i];
        const Rule *rule = pick->row->rule;
        if (rule->stage == SHOP) continue;
        if (rule->kind == PERCENT) {
            money now = step_at(job->book, rule, reached(rule, pick->at, pick->count, base, job->units));
            if (now != step_at(job->book, rule, reached(rule, pick->at, pick->count, job->base, job->units)))
                return false;
            rates += now;
            rounded++;
        } else if (reckon(job, rule, pick->at, pick->count, base, &often) != pick->row->off) {
            return false;
        }
    }
    return !rounded || !smallest || (wide)rates * smallest + rounded * BASIS_POINTS <= (wide)smallest * BASIS_POINTS;
}

/* Whether leaving a rule out could not let another take off more than that rule did.
 *
 * It could where a later stage loses a step, or free shipping, by what was taken off before, where a floor binds, or
 * where several rounded-up percentages come together on tiny reductions. */
static bool is_steady(Job *job, const Pick *all, int count, const Done *done)
{
    for (int i = 0; i < done->count; i++) {
        const Applied *each = &done->each[i];
        if (each->given_up) return false;
        if (done->count > 1)
            for (int j = 0; j < each->pick.count; j++)
                if (done->left[each->pick.at[j]] <= job->floors[each->pick.at[j]]) return false;
    }
    if (fee_of(job, done->left, all, count, NULL) > fee_of(job, job->base, NULL, 0, NULL)) return false;
    bool later = count && all[count - 1].row->rule->stage != all[0].row->rule->stage;
    return !later || keeps_steps(job, all, count, done);
}

/* ---- step 2 */

typedef struct {
    Pick *chosen;
    int count;
    wide bound;
    bool proven;
} Knot;

typedef struct {
    Pick *chosen;
    int count;
    Applied *done;
    int done_count;
    money *left;
    wide early; /* the most that the first stage can take off */
    bool proven;
} ByStage;

static Knot knot_of_one(Job *job, const Candidate *candidate)
{
    return (Knot){copy(job, &candidate->pick, sizeof(Pick)), 1, candidate->most, true};
}

/* Whether it is one of them: each excludes all others, and of their lines, the same, none is left to a rival. */
static bool is_either_or(const Job *job, const Candidate *members, int count)
{
    int lines = members[0].pick.count;
    if (lines > 1 && lines <= CONTESTED_MAX) return false;
    for (int i = 0; i < count; i++) {
        if (!same(members[i].set, members[0].set)) return false;
        for (int j = 0; j < count; j++)
            if (j != i && !are_foes(job->book, members[i].pick.row->rule, members[j].pick.row->bit)) return false;
    }
    return true;
}

static Pick without_lines(Job *job, const Pick *pick, Set gone)
{
    place *rest = TAKE(job, place, pick->count);
    Pick left = {pick->row, rest, 0};
    for (int i = 0; i < pick->count; i++)
        if (!has(&gone, pick->at[i])) rest[left.count++] = pick->at[i];
    return left;
}

/* Each takes what is free, the one that can take most off first. */
static Knot solve_greedily(Job *job, const Candidate *members, int count)
{
    Knot knot = {TAKE(job, Pick, count), 0, 0, false};
    bool *tried = TAKE(job, bool, count);
    memset(tried, 0, sizeof(bool) * (size_t)count);
    for (int turn = 0; turn < count; turn++) {
        int best = -1;
        for (int i = 0; i < count; i++)
            if (!tried[i] && (best < 0 || members[i].most > members[best].most)) best = i;
        tried[best] = true;
        knot.bound += members[best].most;
        Set held = {{0}};
        for (int i = 0; i < knot.count; i++)
            if (are_foes(job->book, members[best].pick.row->rule, knot.chosen[i].row->bit))
                held = either(held, set_of(knot.chosen[i].at, knot.chosen[i].count));
        Pick pick = members[best].pick;
        if (!is_empty(both(held, members[best].set))) pick = without_lines(job, &pick, held);
        if (pick.count) knot.chosen[knot.count++] = pick;
    }
    return knot;
}

/* The members of a knot as they stand, with what they can take off; those that can take nothing off are left out. */
static int members_of(Job *job, const Candidate *candidates, const int *knot, int count, const money *left,
                      const Set *lost, Candidate *members)
{
    int found = 0;
    for (int i = 0; i < count; i++) {
        const Candidate *each = &candidates[knot[i]];
        Candidate member = {.pick = each->pick, .set = each->set, .most = each->most};
        bool less = lost && !is_empty(both(lost[knot[i]], each->set));
        if (less) {
            member.pick = without_lines(job, &each->pick, lost[knot[i]]);
            member.set = without(each->set, lost[knot[i]]);
        }
        if (less || left != job->base) {
            money often;
            const Rule *rule = each->pick.row->rule;
            member.most = member.pick.count
                              ? worth_of(rule, reckon(job, rule, member.pick.at, member.pick.count, left, &often))
                              : 0;
        }
        if (member.most > 0) members[found++] = member;
    }
    return found;
}

/* Solve one knot; `loose`, as if no floor bound. */
static Knot solve_knot(Job *job, const Candidate *candidates, const int *knot, int count, const money *left,
                       const Set *lost, bool loose)
{
    if (count == 1 && !lost) return knot_of_one(job, &candidates[knot[0]]);
    Candidate *members = TAKE(job, Candidate, count);
    count = members_of(job, candidates, knot, count, left, lost, members);
    if (count == 0) return (Knot){NULL, 0, 0, true};
    if (count == 1) return knot_of_one(job, &members[0]);
    if (loose && is_either_or(job, members, count)) {
        int best = 0;
        for (int i = 1; i < count; i++)
            if (members[i].most > members[best].most) best = i;
        return knot_of_one(job, &members[best]);
    }
    if (count > job->asked->searched_max) return solve_greedily(job, members, count);
    find_foes(job, members, count);
    Found found = {.best = -1, .chosen = TAKE(job, Pick, count)};
    search(job, members, count, left, false, loose, &found);
    return (Knot){found.chosen, found.chosen_count, found.stopped ? found.bound : found.best, !found.stopped};
}

/* Number the members of a stage by knots: those of different knots do not exclude each other. */
static void find_knots(const Candidate *candidates, const int *members, int count, int *knot_of, int all)
{
    for (int i = 0; i < all; i++) knot_of[i] = -1;
    for (int i = 0; i < count; i++) knot_of[members[i]] = i;
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < count; i++) {
            const Candidate *each = &candidates[members[i]];
            for (int j = 0; j < each->foe_count; j++) {
                int *mine = &knot_of[members[i]], *other = &knot_of[each->foes[j]];
                if (*other < 0 || *other == *mine) continue;
                *mine = *other = *mine < *other ? *mine : *other;
                changed = true;
            }
        }
    }
}

/* The lines that later candidates lose to what was chosen in an earlier stage; NULL where none loses any. */
static Set *lost_to(Job *job, const Candidate *candidates, int count, const ByStage *found)
{
    Set *lost = NULL;
    for (int i = 0; i < count; i++) {
        const Pick *pick = NULL;
        if (!candidates[i].foe_count) continue;
        for (int j = 0; j < found->count && !pick; j++)
            if (found->chosen[j].row == candidates[i].pick.row) pick = &found->chosen[j];
        if (!pick) continue;
        if (!lost) memset(lost = TAKE(job, Set, count), 0, sizeof(Set) * (size_t)count);
        Set held = set_of(pick->at, pick->count);
        for (int j = 0; j < candidates[i].foe_count; j++)
            lost[candidates[i].foes[j]] = either(lost[candidates[i].foes[j]], held);
    }
    return lost;
}

static int by_bit(const void *one, const void *other)
{
    int64_t a = ((const Pick *)one)->row->bit, b = ((const Pick *)other)->row->bit;
    return (a > b) - (a < b);
}

static int picked(const Knot *knots, int count, Pick *picks)
{
    int found = 0;
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < knots[i].count; j++) picks[found++] = knots[i].chosen[j];
    }
    qsort(picks, (size_t)found, sizeof(Pick), by_bit);
    return found;
}

/* Whether the rules of a knot give nothing up to floors, alone or even with all others. */
static bool keeps_all(Job *job, const Knot *knot, const money *left, const Done *done)
{
    bool whole = true;
    for (int i = 0; i < knot->count && whole; i++) {
        whole = false;
        for (int j = 0; j < done->count && !whole; j++)
            whole = done->each[j].pick.row == knot->chosen[i].row && !done->each[j].given_up;
    }
    if (whole) return true;
    Done alone = apply_stage(job, knot->chosen, knot->count, left);
    for (int i = 0; i < alone.count; i++)
        if (alone.each[i].given_up) return false;
    return alone.count == knot->count;
}

static bool is_all_whole(const Done *done, int count)
{
    for (int i = 0; i < done->count; i++)
        if (done->each[i].given_up) return false;
    return done->count == count;
}

/* Solve the knots of one stage, after what was found of the one before. */
static void solve_stage(Job *job, const Candidate *candidates, int all, const int *members, int count, ByStage *found)
{
    Set *lost = found->count ? lost_to(job, candidates, all, found) : NULL;
    int *knot_of = TAKE(job, int, all), *parts = TAKE(job, int, count), *start = TAKE(job, int, count + 1);
    Knot *knots = TAKE(job, Knot, count);
    find_knots(candidates, members, count, knot_of, all);
    int knot_count = 0, at = 0;
    for (int i = 0; i < count; i++) {
        if (knot_of[members[i]] != i) continue;
        start[knot_count] = at;
        for (int j = i; j < count; j++)
            if (knot_of[members[j]] == i) parts[at++] = members[j];
        knots[knot_count] =
            solve_knot(job, candidates, parts + start[knot_count], at - start[knot_count], found->left, lost, true);
        knot_count++;
    }
    start[knot_count] = at;
    Pick *picks = TAKE(job, Pick, all);
    int pick_count = picked(knots, knot_count, picks);
    Done done = apply_stage(job, picks, pick_count, found->left);
    if (!is_all_whole(&done, pick_count)) {
        /* Some floor binds, which a loose search does not see; where there was one rule only, it made no choice. */
        bool again = false;
        for (int i = 0; i < knot_count; i++) {
            int size = start[i + 1] - start[i];
            if (size < 2 || keeps_all(job, &knots[i], found->left, &done)) continue;
            knots[i] = solve_knot(job, candidates, parts + start[i], size, found->left, lost, false);
            again = true;
        }
        if (again) {
            pick_count = picked(knots, knot_count, picks);
            done = apply_stage(job, picks, pick_count, found->left);
        }
    }
    memcpy(found->chosen + found->count, picks, sizeof(Pick) * (size_t)pick_count);
    memcpy(found->done + found->done_count, done.each, sizeof(Applied) * (size_t)done.count);
    found->count += pick_count;
    found->done_count += done.count;
    found->left = done.left;
    for (int i = 0; i < knot_count; i++) {
        if (candidates[members[0]].pick.row->rule->stage == SHOP) found->early += knots[i].bound;
        found->proven = found->proven && knots[i].proven;
    }
}

/* The best of each stage given the one before, and what it does. */
static ByStage solve_by_stage(Job *job, const Candidate *candidates, int count)
{
    ByStage found = {TAKE(job, Pick, count), 0, TAKE(job, Applied, count), 0, job->base, 0, true};
    int *members = TAKE(job, int, count);
    for (int stage = SHOP; stage <= PLATFORM; stage++) {
        int size = 0;
        for (int i = 0; i < count; i++)
            if (candidates[i].pick.row->rule->stage == stage) members[size++] = i;
        if (size) solve_stage(job, candidates, count, members, size, &found);
    }
    return found;
}

/* An upper bound of what the later stage can take off, as if nothing was taken off before. */
static wide bound_late(Job *job, const Candidate *candidates, int count)
{
    int *members = TAKE(job, int, count), *knot_of = TAKE(job, int, count), *knot = TAKE(job, int, count), late = 0;
    for (int i = 0; i < count; i++)
        if (candidates[i].pick.row->rule->stage != SHOP) members[late++] = i;
    find_knots(candidates, members, late, knot_of, count);
    wide bound = 0;
    for (int i = 0; i < late; i++) {
        if (knot_of[members[i]] != i) continue;
        int size = 0;
        for (int j = i; j < late; j++)
            if (knot_of[members[j]] == i) knot[size++] = members[j];
        bound += solve_knot(job, candidates, knot, size, job->base, NULL, true).bound;
    }
    return bound;
}

/* ---- what taking less off at first could gain later */

static money off_all(const Job *job, const Candidate *late, int count, const money *base)
{
    money off = 0, often;
    for (int i = 0; i < count; i++)
        off += reckon(job, late[i].pick.row->rule, late[i].pick.at, late[i].pick.count, base, &often);
    return off;
}

/* The gain at the steps that one rule reaches with up to `most` more. */
static money gain_of(const Job *job, const Candidate *late, int count, const Rule *rule, money reach, money most,
                     money now, money *base, int at)
{
    const int64_t *step = job->book->figures + rule->at;
    bool again = rule->kind == AMOUNT && rule->every && !rule->by_pieces && step[0];
    money best = 0, start = base[at];
    if (rule->by_pieces) return 0;
    for (int i = 0;; i++) {
        money gap = again ? step[0] - reach % step[0] + i * step[0] : i < rule->steps ? step[2 * i] - reach : most + 1;
        if (again ? gap > most : i >= rule->steps) break;
        if (gap <= 0 || gap > most) continue;
        base[at] = start + gap;
        money gain = off_all(job, late, count, base) - now - gap;
        if (gain > best) best = gain;
    }
    base[at] = start;
    return best;
}

/* The most, in minor units, that taking less off at first could gain later; -1 where that is hard to say.
 *
 * It is easy where the later rules reckon with an amount, exclude nobody, and count every line that the earlier ones
 * reduce: then only how much is given up matters, and that gains most where it just reaches a step. Each percentage may
 * gain one minor unit more by rounding. */
static money gain_bound(Job *job, const Candidate *candidates, int count, const ByStage *found)
{
    int first = 0;
    while (first < count && candidates[first].pick.row->rule->stage == SHOP) first++;
    for (int i = 0; i < found->done_count; i++)
        if (found->done[i].given_up) return -1;
    if (first == count) return 0;
    Set reduced = {{0}};
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < candidates[i].foe_count; j++)
            if (candidates[i].foes[j] >= first) return -1;
        if (i < first) reduced = either(reduced, candidates[i].set);
    }
    const Candidate *late = candidates + first;
    int late_count = count - first, lowest = 0;
    for (int i = 0; i < late_count; i++) {
        int64_t kind = late[i].pick.row->rule->kind;
        if ((kind != AMOUNT && kind != PERCENT) || !is_empty(without(reduced, late[i].set))) return -1;
    }
    if (is_empty(reduced)) return 0;
    while (!has(&reduced, lowest)) lowest++;
    money *base = copy(job, job->base, sizeof(money) * (size_t)job->lines), off = 0, best = 0, rounding = 0;
    for (int i = 0; i < found->done_count; i++) {
        const Applied *each = &found->done[i];
        if (each->pick.row->rule->stage != SHOP || each->pick.row->rule->kind == GIFT) continue;
        off += each->off;
        for (int j = 0; j < each->pick.count; j++) base[each->pick.at[j]] -= each->parts[j];
    }
    money now = off_all(job, late, late_count, base);
    for (int i = 0; i < late_count; i++) {
        const Rule *rule = late[i].pick.row->rule;
        money reach = reached(rule, late[i].pick.at, late[i].pick.count, base, job->units);
        money gain = gain_of(job, late, late_count, rule, reach, off, now, base, lowest);
        best = gain > best ? gain : best;
        rounding += rule->kind == PERCENT;
    }
    return best + rounding;
}

/* ---- step 3, and all of it */

static Choice solve(Job *job, const Candidate *candidates, int count)
{
    ByStage found = solve_by_stage(job, candidates, count);
    Done done = {found.done_count, found.done, found.left};
    money full = job->asked->fee, unreduced = fee_of(job, job->base, NULL, 0, NULL);
    money fee = fee_of(job, found.left, found.chosen, found.count, NULL);
    wide best = (full - fee) * MONEY_WEIGHT, bound;
    for (int i = 0; i < done.count; i++) best += worth_of(done.each[i].pick.row->rule, done.each[i].off);
    money gain = found.proven ? gain_bound(job, candidates, count, &found) : -1;
    if (gain >= 0) bound = best + (gain + (fee > unreduced ? fee - unreduced : 0)) * MONEY_WEIGHT;
    else
        bound =
            found.early + bound_late(job, candidates, count) + (full > unreduced ? full - unreduced : 0) * MONEY_WEIGHT;
    if (bound - best <= NEGLECTED * MONEY_WEIGHT)
        return (Choice){done, bound > best ? (money)((bound - best) / MONEY_WEIGHT) : 0};
    Found all = {.best = best,
                 .chosen = TAKE(job, Pick, count),
                 .chosen_count = -1,
                 .stopped = count > job->asked->searched_max};
    if (!all.stopped) search(job, candidates, count, job->base, true, false, &all);
    if (all.chosen_count >= 0) done = apply_all(job, all.chosen, all.chosen_count);
    bool unproven = all.stopped && bound > all.best;
    return (Choice){done, unproven ? (money)((bound - all.best) / MONEY_WEIGHT) : 0};
}

/* Choose among the rules of `rows`, which stand in the order in which they apply. */
Choice choose(Job *job, const Row *rows, int count)
{
    Candidate *candidates = TAKE(job, Candidate, count);
    Pick *all = TAKE(job, Pick, count);
    int found = 0;
    bool rivals = false;
    for (int i = 0; i < count; i++) {
        wide most = worth_of(rows[i].rule, rows[i].off);
        if (most <= 0) continue;
        all[found] = (Pick){&rows[i], rows[i].at, rows[i].count};
        candidates[found] = (Candidate){.pick = all[found], .set = set_of(rows[i].at, rows[i].count), .most = most};
        found++;
    }
    find_foes(job, candidates, found);
    for (int i = 0; i < found; i++) rivals = rivals || candidates[i].foe_count;
    if (!rivals) {
        Done done = apply_all(job, all, found);
        if (is_steady(job, all, found, &done)) return (Choice){done, 0};
    }
    return solve(job, candidates, found);
}
