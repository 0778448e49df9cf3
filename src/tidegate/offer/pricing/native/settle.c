/* The calls from outside: unit prices, the lines that each rule counts, and what is decided about the cart. */
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

/* ---- memory: chunks that a thread keeps from job to job; only the first stays, where one job needed much */

struct Chunk {
    Chunk *next;
    size_t size;
    _Alignas(16) char bytes[];
};

enum { CHUNK_MIN = 1 << 18 };

static _Thread_local Chunk *first_chunk;

static Chunk *new_chunk(size_t size)
{
    Chunk *chunk = malloc(sizeof(Chunk) + size);
    if (chunk) *chunk = (Chunk){.next = NULL, .size = size};
    return chunk;
}

bool begin_memory(Job *job)
{
    if (!first_chunk) first_chunk = new_chunk(CHUNK_MIN);
    if (!first_chunk) return false;
    for (Chunk *chunk = first_chunk->next, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    first_chunk->next = NULL;
    job->top = (Mark){first_chunk, 0};
    return true;
}

void *take(Job *job, size_t bytes)
{
    bytes = (bytes + 15) & ~(size_t)15;
    while (job->top.used + bytes > job->top.chunk->size) {
        Chunk *chunk = job->top.chunk;
        if (!chunk->next) chunk->next = new_chunk(bytes > CHUNK_MIN ? bytes : CHUNK_MIN);
        if (!chunk->next) longjmp(*job->no_memory, 1);
        job->top = (Mark){chunk->next, 0};
    }
    void *taken = job->top.chunk->bytes + job->top.used;
    job->top.used += bytes;
    return taken;
}

void *copy(Job *job, const void *from, size_t bytes) { return memcpy(take(job, bytes), from, bytes); }

Set set_of(const place *at, int count)
{
    Set set = {{0}};
    for (int i = 0; i < count; i++) put(&set, at[i]);
    return set;
}

/* ---- a cart as it stands before anything is taken off */

typedef struct {
    Unit *units; /* of each line */
    Row *rows;   /* in the order in which they apply */
    int row_count;
} Matched;

/* The lowest price of a unit: the offer's, or that of a rule that is open and not used up. */
static Unit unit_of(const Book *book, const Asked *asked, const Line *line)
{
    const Product *product = &book->products[line->product];
    Unit unit = {product->unit_price, NO_RULE};
    if (product->prices == NO_RULE) return unit;
    const int64_t *listed = book->figures + product->prices;
    for (; listed[0] != NO_RULE && listed[0] < product->unit_price; listed += 2)
        if (in_mask(asked->mask, listed[1]) && !in_mask(asked->barred, listed[1])) return (Unit){listed[0], listed[1]};
    return unit;
}

/* Whether a rule counts goods at this price: some prices of their own go together with nothing else. */
static bool counts(const Book *book, const Asked *asked, int64_t bit, Unit unit)
{
    if (!in_mask(asked->mask, bit)) return false;
    if (unit.rule == NO_RULE) return true;
    int64_t kept_from = book->rules[unit.rule].kept_from;
    return kept_from == NO_RULE || !in_mask(book->masks + kept_from * book->words, bit);
}

/* The lines that each rule counts: first how many, then which. */
static void match(Job *job, const Asked *asked, Matched *matched)
{
    const Book *book = job->book;
    int *counted = TAKE(job, int, book->rule_count), total = 0;
    memset(counted, 0, sizeof(int) * (size_t)book->rule_count);
    for (int i = 0; i < job->lines; i++)
        for (const int64_t *bit = book->figures + book->products[asked->lines[i].product].rules; *bit != NO_RULE; bit++)
            if (counts(book, asked, *bit, matched->units[i])) {
                matched->row_count += !counted[*bit]++;
                total++;
            }
    place *at = TAKE(job, place, total), **next = TAKE(job, place *, book->rule_count);
    int row = 0;
    matched->rows = TAKE(job, Row, matched->row_count);
    for (int64_t bit = 0; row < matched->row_count; bit++) {
        if (!counted[bit]) continue;
        matched->rows[row++] = (Row){.rule = &book->rules[bit], .bit = bit, .at = at, .count = counted[bit]};
        next[bit] = at;
        at += counted[bit];
    }
    for (int i = 0; i < job->lines; i++)
        for (const int64_t *bit = book->figures + book->products[asked->lines[i].product].rules; *bit != NO_RULE; bit++)
            if (counts(book, asked, *bit, matched->units[i])) *next[*bit]++ = (place)i;
}

static void begin(Job *job, const Book *book, const Asked *asked, Matched *matched)
{
    int lines = job->lines = (int)asked->line_count;
    job->book = book;
    job->asked = asked;
    job->base = TAKE(job, money, lines);
    job->units = TAKE(job, money, lines);
    job->floors = TAKE(job, money, lines);
    *matched = (Matched){.units = TAKE(job, Unit, lines)};
    for (int i = 0; i < lines; i++) {
        const Line *line = &asked->lines[i];
        matched->units[i] = unit_of(book, asked, line);
        job->units[i] = line->units;
        job->base[i] = matched->units[i].price * line->units;
        job->floors[i] = book->products[line->product].floor * line->units;
    }
    match(job, asked, matched);
    for (int i = 0; i < matched->row_count; i++) {
        Row *row = &matched->rows[i];
        row->off = reckon(job, row->rule, row->at, row->count, job->base, &row->times);
    }
}

/* ---- the calls: each gives an object of Python, or NULL with an exception set. What was made when memory ends is not
 * given back. */

#define EXPORTED __attribute__((visibility("default")))

#define BEGIN                                                              \
    Job job = {0};                                                         \
    Matched matched;                                                       \
    jmp_buf no_memory;                                                     \
    job.no_memory = &no_memory;                                            \
    if (!begin_memory(&job) || setjmp(no_memory)) return PyErr_NoMemory(); \
    begin(&job, book, asked, &matched);

/* The lines that each rule counts. */
EXPORTED PyObject *tidegate_match(const Book *book, const Asked *asked)
{
    BEGIN
    return write_rows(&job, matched.rows, matched.row_count);
}

/* What applies, and the price that it gives. */
EXPORTED PyObject *tidegate_settle(const Book *book, const Asked *asked)
{
    BEGIN
    Row *by_stage[POINTS + 1];
    int counts_of[POINTS + 1] = {0};
    for (int stage = PRICE; stage <= POINTS; stage++) by_stage[stage] = TAKE(&job, Row, matched.row_count);
    for (int i = 0; i < matched.row_count; i++) {
        const Row *row = &matched.rows[i];
        int64_t stage = row->rule->stage == SHOP ? PLATFORM : row->rule->stage; /* these two are chosen together */
        if (!in_mask(asked->barred, row->bit)) by_stage[stage][counts_of[stage]++] = *row;
    }
    job.freeing = by_stage[SHIPPING];
    job.freeing_count = counts_of[SHIPPING];
    Decided decided = {
        .lines = asked->lines,
        .units = matched.units,
        .rows = matched.rows,
        .row_count = matched.row_count,
        .choice = choose(&job, by_stage[PLATFORM], counts_of[PLATFORM]),
    };
    Done *done = &decided.choice.done;
    Pick *applied = TAKE(&job, Pick, done->count);
    for (int i = 0; i < done->count; i++) applied[i] = done->each[i].pick;
    decided.fee = fee_of(&job, done->left, applied, done->count, &decided.freed_by);
    Applied points;
    for (int i = 0; asked->points && i < counts_of[POINTS] && !decided.points; i++)
        if (spend_points(&job, &by_stage[POINTS][i], done, &points)) decided.points = &points;
    return write_decided(&job, &decided);
}
