/* Branch and bound over rules that exclude each other: depth first, in the order in which they apply, so that each step
 * is exact. A rule is taken with all its lines but those that a rival has, or not at all. */
#include "kernel.h"

#include <string.h>

typedef struct {
    Job *job;
    const Candidate *candidates;
    int count;
    bool fees, loose;
    wide *bounds; /* the most that the candidates from each number on can take off */
    wide fee_saved_most;
    int64_t work;
    Pick *taken;
    place *held; /* the lines of what was found, where they are not all that the candidate has */
    Found *found;
} Search;

/* Where a search stands. */
typedef struct {
    int number; /* of the candidate whose turn it is */
    int64_t stage;
    const money *base, *left;
    const Set *lost; /* the lines that each candidate has lost to rivals */
    wide worth;
    int taken;
} At;

wide worth_of(const Rule *rule, money off) { return off * (rule->kind == GIFT ? (wide)rule->value : MONEY_WEIGHT); }

/* Of a group on the same single line only one can have it. */
static void find_bounds(Search *search)
{
    typedef struct {
        int64_t group;
        int at;
        wide most;
    } Alone;
    Alone *alone = TAKE(search->job, Alone, search->count);
    int known = 0;
    search->bounds[search->count] = 0;
    for (int number = search->count - 1; number >= 0; number--) {
        const Candidate *each = &search->candidates[number];
        int64_t group = each->pick.row->rule->exclusion;
        wide more = each->most;
        if (group && each->pick.count == 1) {
            int i = 0;
            while (i < known && (alone[i].group != group || alone[i].at != each->pick.at[0])) i++;
            if (i == known) alone[known++] = (Alone){group, each->pick.at[0], 0};
            more = each->most > alone[i].most ? each->most - alone[i].most : 0;
            alone[i].most += more;
        }
        search->bounds[number] = search->bounds[number + 1] + more;
    }
}

static const Candidate *candidate_of(const Search *search, const Pick *pick)
{
    const Candidate *candidate = search->candidates;
    while (candidate->pick.row != pick->row) candidate++;
    return candidate;
}

/* Whether no rule leaves a line to nobody: it lacks only what a rival has that is chosen. */
static bool is_whole(const Search *search, int count)
{
    for (int i = 0; i < count; i++) {
        const Pick *pick = &search->taken[i];
        const Candidate *candidate = candidate_of(search, pick);
        if (pick->count == candidate->pick.count) continue;
        Set lacks = without(candidate->set, set_of(pick->at, pick->count));
        for (int j = 0; j < count; j++)
            if (are_foes(search->job->book, pick->row->rule, search->taken[j].row->bit))
                lacks = without(lacks, set_of(search->taken[j].at, search->taken[j].count));
        if (!is_empty(lacks)) return false;
    }
    return true;
}

static int add_way(Set *ways, int count, Set way)
{
    for (int i = 0; i < count; i++)
        if (same(ways[i], way)) return count;
    ways[count] = way;
    return count + 1;
}

/* The sets of lines to leave to later rivals: none first, and all of them last. */
static int ways_of(const Search *search, const Candidate *candidate, Set gone, Set *ways)
{
    Set own = without(candidate->set, gone), contested = {{0}}, masks[CONTESTED_MAX];
    int rivals = 0, count = add_way(ways, 0, (Set){{0}});
    for (int i = 0; i < candidate->foe_count; i++) {
        Set mask = both(search->candidates[candidate->foes[i]].set, own);
        if (is_empty(mask)) continue;
        if (rivals < CONTESTED_MAX) masks[rivals] = mask;
        contested = either(contested, mask);
        rivals++;
    }
    if (!rivals) return count;
    int lines = size_of(contested);
    if (lines > CONTESTED_MAX && rivals > CONTESTED_MAX) {
        for (int i = 0; i < candidate->foe_count; i++) {
            Set mask = both(search->candidates[candidate->foes[i]].set, own);
            if (!is_empty(mask)) count = add_way(ways, count, mask);
        }
        return add_way(ways, count, contested);
    }
    if (lines <= CONTESTED_MAX) {
        rivals = 0;
        for (int at = 0; at < search->job->lines; at++)
            if (has(&contested, at)) {
                masks[rivals] = (Set){{0}};
                put(&masks[rivals++], at);
            }
    }
    Set sums[1 << CONTESTED_MAX] = {{{0}}};
    for (int i = 0; i < rivals; i++)
        for (int j = 0; j < 1 << i; j++) sums[(1 << i) + j] = either(sums[j], masks[i]);
    for (int i = 1; i < 1 << rivals; i++) count = add_way(ways, count, sums[i]);
    return count;
}

/* Keep what is taken as the best found so far. */
static void keep(Search *search, const At *at)
{
    Found *found = search->found;
    found->best = at->worth;
    found->chosen_count = at->taken;
    for (int i = 0; i < at->taken; i++) {
        Pick *pick = &found->chosen[i];
        *pick = search->taken[i];
        if (pick->count < candidate_of(search, pick)->pick.count)
            pick->at = memcpy(search->held + i * search->job->lines, pick->at, (size_t)pick->count);
    }
}

static void step(Search *search, At at);

/* What the candidate does on its lines but those that are gone; leaves in `at` what is left, and its worth added. */
static bool apply(Search *search, At *at, const Candidate *candidate, Pick *pick)
{
    Job *job = search->job;
    money off = 0, often;
    if (search->loose && pick->count == candidate->pick.count) {
        at->worth += candidate->most;
        return candidate->most > 0;
    }
    if (search->loose) {
        if (pick->count) off = reckon(job, pick->row->rule, pick->at, pick->count, at->base, &often);
    } else {
        Applied applied;
        money *after = copy(job, at->left, sizeof(money) * (size_t)job->lines);
        if (pick->count && take_off(job, pick, at->base, after, &applied)) off = applied.off;
        at->left = after;
    }
    wide more = worth_of(pick->row->rule, off);
    at->worth += more;
    return more > 0;
}

static void go_on_with(Search *search, At at, Set gone)
{
    Job *job = search->job;
    const Candidate *candidate = &search->candidates[at.number];
    Pick pick = candidate->pick;
    if (!is_empty(both(gone, candidate->set))) {
        place *rest = TAKE(job, place, pick.count);
        pick.at = rest;
        pick.count = 0;
        for (int i = 0; i < candidate->pick.count; i++)
            if (!has(&gone, candidate->pick.at[i])) rest[pick.count++] = candidate->pick.at[i];
    }
    search->work += pick.count + 4;
    if (!apply(search, &at, candidate, &pick)) return;
    if (candidate->foe_count) {
        Set *lost = copy(job, at.lost, sizeof(Set) * (size_t)search->count);
        Set held = without(candidate->set, gone);
        for (int i = 0; i < candidate->foe_count; i++)
            lost[candidate->foes[i]] = either(lost[candidate->foes[i]], held);
        at.lost = lost;
    }
    search->taken[at.taken++] = pick;
    at.number++;
    step(search, at);
}

static void step(Search *search, At at)
{
    Job *job = search->job;
    Found *found = search->found;
    if (at.number == search->count) {
        if (search->fees)
            at.worth += (job->asked->fee - fee_of(job, at.left, search->taken, at.taken, NULL)) * MONEY_WEIGHT;
        if (at.worth > found->best && is_whole(search, at.taken)) keep(search, &at);
        return;
    }
    if (at.worth + search->bounds[at.number] + search->fee_saved_most <= found->best) return;
    if (search->work > job->asked->work_max) {
        found->stopped = found->best >= 0;
        if (found->stopped) return;
    }
    const Candidate *candidate = &search->candidates[at.number];
    if (candidate->pick.row->rule->stage != at.stage) {
        at.base = at.left;
        at.stage = candidate->pick.row->rule->stage;
    }
    Set gone = at.lost[at.number];
    Set *ways = TAKE(job, Set, (1 << CONTESTED_MAX) + candidate->foe_count + 2);
    int count = ways_of(search, candidate, gone, ways);
    for (int i = 0; i < count; i++) {
        Mark mark = job->top;
        go_on_with(search, at, either(gone, ways[i]));
        job->top = mark;
    }
    at.number++;
    step(search, at);
}

void search(Job *job, const Candidate *candidates, int count, const money *base, bool fees, bool loose, Found *found)
{
    Search search = {
        .job = job,
        .candidates = candidates,
        .count = count,
        .fees = fees,
        .loose = loose,
        .bounds = TAKE(job, wide, count + 1),
        .taken = TAKE(job, Pick, count),
        .held = TAKE(job, place, count * job->lines),
        .found = found,
    };
    find_bounds(&search);
    found->bound = search.bounds[0];
    if (fees) {
        money saved = job->asked->fee - fee_of(job, base, NULL, 0, NULL);
        search.fee_saved_most = (saved > 0 ? saved : 0) * MONEY_WEIGHT;
    }
    Set *lost = TAKE(job, Set, count);
    memset(lost, 0, sizeof(Set) * (size_t)count);
    step(&search, (At){.number = 0, .stage = PRICE, .base = base, .left = base, .lost = lost});
}
