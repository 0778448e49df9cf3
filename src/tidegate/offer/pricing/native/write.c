/* Writes down what was decided: `Decided` of ../kernel.py, with the lines, steps, reductions and gifts of the order,
 * and the text that the hash of its trace is of. What is made of objects takes them over; where one could not be made,
 * what was to be made of it is NULL, too. */
#include "kernel.h"

#include <string.h>

/* ---- objects */

static void drop(PyObject *const *objects, int count)
{
    for (int i = 0; i < count; i++)
        if (objects[i]) Py_DecRef(objects[i]);
}

static bool is_whole(PyObject *const *objects, int count)
{
    for (int i = 0; i < count; i++)
        if (!objects[i]) return false;
    return true;
}

static PyObject *make(PyObject *type, PyObject *const *fields, int count)
{
    PyObject *made = is_whole(fields, count) ? PyObject_Vectorcall(type, fields, (size_t)count, NULL) : NULL;
    drop(fields, count);
    return made;
}
#define MAKE(type, ...) \
    make((type), (PyObject *const[]){__VA_ARGS__}, sizeof((PyObject *const[]){__VA_ARGS__}) / sizeof(PyObject *))

static PyObject *tuple_of(PyObject *const *items, int count)
{
    PyObject *tuple = is_whole(items, count) ? PyTuple_New(count) : NULL;
    if (!tuple) drop(items, count);
    for (int i = 0; tuple && i < count; i++) PyTuple_SetItem(tuple, i, items[i]);
    return tuple;
}
#define TUPLE(...) \
    tuple_of((PyObject *const[]){__VA_ARGS__}, sizeof((PyObject *const[]){__VA_ARGS__}) / sizeof(PyObject *))

static PyObject *known(PyObject *object)
{
    Py_IncRef(object);
    return object;
}

static PyObject *figure(int64_t figure) { return PyLong_FromLongLong(figure); }
static PyObject *name(const Job *job, int64_t name) { return known(job->book->objects[name]); }
static PyObject *places(const Pick *pick) { return PyBytes_FromStringAndSize((const char *)pick->at, pick->count); }

/* ---- the text: words and figures with a space between them, a line for each thing */

typedef struct {
    char *bytes;
    size_t used, room;
} Text;

static void add(Job *job, Text *text, const char *bytes, size_t count)
{
    if (text->used + count > text->room) {
        char *more = TAKE(job, char, 2 * text->room + count);
        text->bytes = memcpy(more, text->bytes, text->used);
        text->room = 2 * text->room + count;
    }
    memcpy(text->bytes + text->used, bytes, count);
    text->used += count;
}
#define ADD(job, text, literal) add((job), (text), literal, sizeof(literal) - 1)

static void add_name(Job *job, Text *text, int64_t name)
{
    const int64_t *at = job->book->name_at + name;
    add(job, text, job->book->names + at[0], (size_t)(at[1] - at[0]));
}

static void add_figure(Job *job, Text *text, money figure)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = (uint64_t)figure;
    do digits[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    digits[--at] = ' ';
    add(job, text, digits + at, sizeof digits - at);
}

/* ---- who bears what */

typedef struct {
    int64_t shop;
    money amount;
} Part;

static const Product *product_of(const Job *job, const Decided *decided, int at)
{
    return &job->book->products[decided->lines[at].product];
}

/* What each shop's goods give, in the alphabet of shops. */
static int parts_by_shop(const Job *job, const Decided *decided, const Applied *applied, Part *parts)
{
    int count = 0;
    for (int i = 0; i < applied->pick.count; i++) {
        int64_t shop = product_of(job, decided, applied->pick.at[i])->shop;
        int at = count;
        if (!applied->parts[i]) continue;
        while (at > 0 && parts[at - 1].shop > shop) at--;
        if (at > 0 && parts[at - 1].shop == shop) {
            parts[at - 1].amount += applied->parts[i];
            continue;
        }
        memmove(parts + at + 1, parts + at, sizeof(Part) * (size_t)(count++ - at));
        parts[at] = (Part){shop, applied->parts[i]};
    }
    return count;
}

static PyObject *write_borne(Job *job, Text *text, int64_t bearer, Part part)
{
    int64_t who = job->book->bearer_names + bearer, shop = job->book->shop_names + part.shop;
    ADD(job, text, "\nby ");
    add_name(job, text, who);
    ADD(job, text, " ");
    add_name(job, text, shop);
    add_figure(job, text, part.amount);
    return MAKE(job->book->words_of->borne, name(job, who), name(job, shop), figure(part.amount));
}

/* Each shop's part is split among the bearers by their shares, exactly; without bearers the shop bears it. */
static PyObject *write_bearers(Job *job, Text *text, const Decided *decided, const Applied *applied)
{
    const Rule *rule = applied->pick.row->rule;
    Part parts[LINES_MAX];
    int shops = parts_by_shop(job, decided, applied, parts), bearers = (int)rule->bearers, count = 0;
    const int64_t *borne_by = job->book->figures + rule->bearers_at;
    money *shares = TAKE(job, money, bearers), *amounts = TAKE(job, money, bearers);
    PyObject **borne = TAKE(job, PyObject *, shops * (bearers ? bearers : 1));
    for (int i = 0; i < bearers; i++) shares[i] = borne_by[2 * i + 1];
    for (int i = 0; i < shops; i++) {
        if (!bearers) borne[count++] = write_borne(job, text, 0, parts[i]);
        else split(parts[i].amount, shares, bearers, amounts);
        for (int j = 0; j < bearers; j++)
            if (amounts[j]) borne[count++] = write_borne(job, text, borne_by[2 * j], (Part){parts[i].shop, amounts[j]});
    }
    return tuple_of(borne, count);
}

/* ---- reductions and gifts */

static PyObject *write_parts(Job *job, Text *text, const Decided *decided, const Applied *applied)
{
    PyObject **parts = TAKE(job, PyObject *, applied->pick.count);
    int count = 0;
    for (int i = 0; i < applied->pick.count; i++) {
        if (!applied->parts[i]) continue;
        int64_t sku = product_of(job, decided, applied->pick.at[i])->name;
        parts[count++] = TUPLE(name(job, sku), figure(applied->parts[i]));
        ADD(job, text, "\nof ");
        add_name(job, text, sku);
        add_figure(job, text, applied->parts[i]);
    }
    return tuple_of(parts, count);
}

static PyObject *write_reduction(Job *job, Text *text, const Decided *decided, const Applied *applied)
{
    int64_t promotion = applied->pick.row->rule->name;
    ADD(job, text, "\npromotion ");
    add_name(job, text, promotion);
    add_figure(job, text, applied->off);
    add_figure(job, text, applied->times);
    add_figure(job, text, applied->given_up);
    PyObject *parts = write_parts(job, text, decided, applied);
    PyObject *borne = write_bearers(job, text, decided, applied);
    return MAKE(job->book->words_of->reduction, name(job, promotion), figure(applied->off), parts, borne,
                figure(applied->times), figure(applied->given_up));
}

static PyObject *write_reductions(Job *job, Text *text, const Decided *decided)
{
    const Done *done = &decided->choice.done;
    PyObject **reductions = TAKE(job, PyObject *, done->count + 1);
    int count = 0;
    for (int i = 0; i < done->count; i++)
        if (done->each[i].pick.row->rule->kind != GIFT)
            reductions[count++] = write_reduction(job, text, decided, &done->each[i]);
    if (decided->points) reductions[count++] = write_reduction(job, text, decided, decided->points);
    return tuple_of(reductions, count);
}

static PyObject *write_gift(Job *job, Text *text, const Decided *decided, const Applied *applied)
{
    const Rule *rule = applied->pick.row->rule;
    int64_t sku = job->book->products[rule->gift].name;
    PyObject **earned_by = TAKE(job, PyObject *, applied->pick.count);
    ADD(job, text, "\ngift ");
    add_name(job, text, rule->name);
    ADD(job, text, " ");
    add_name(job, text, sku);
    add_figure(job, text, applied->off);
    for (int i = 0; i < applied->pick.count; i++)
        earned_by[i] = name(job, product_of(job, decided, applied->pick.at[i])->name);
    return MAKE(job->book->words_of->gift, name(job, rule->name), name(job, sku), figure(applied->off),
                figure(rule->value), tuple_of(earned_by, applied->pick.count));
}

static PyObject *write_gifts(Job *job, Text *text, const Decided *decided)
{
    const Done *done = &decided->choice.done;
    PyObject **gifts = TAKE(job, PyObject *, done->count);
    int count = 0;
    for (int i = 0; i < done->count; i++)
        if (done->each[i].pick.row->rule->kind == GIFT) gifts[count++] = write_gift(job, text, decided, &done->each[i]);
    return tuple_of(gifts, count);
}

/* ---- the lines, with gifts: those of a SKU that is bought too stand on its line */

typedef struct {
    int64_t product;
    money bought, free, list_price, unit_price, cost, payable;
} Written;

static void add_gift(Written *lines, int *count, const Applied *applied)
{
    const Rule *rule = applied->pick.row->rule;
    int at = 0;
    while (at < *count && lines[at].product < rule->gift) at++;
    if (at == *count || lines[at].product != rule->gift) {
        memmove(lines + at + 1, lines + at, sizeof(Written) * (size_t)((*count)++ - at));
        lines[at] = (Written){.product = rule->gift, .list_price = rule->value};
    }
    lines[at].free += applied->off;
}

/* What each unit is paid with: the first ones pay the minor units that do not divide; gifts come last. */
static PyObject *write_shares(const Job *job, const Written *line)
{
    PyObject *type = job->book->words_of->share, *shares[3];
    int count = 0;
    if (line->bought) {
        money over = line->payable % line->bought, each = line->payable / line->bought;
        if (over) shares[count++] = MAKE(type, figure(over), figure(each + 1));
        shares[count++] = MAKE(type, figure(line->bought - over), figure(each));
    }
    if (line->free) shares[count++] = MAKE(type, figure(line->free), figure(0));
    return tuple_of(shares, count);
}

static PyObject *write_line(Job *job, Text *text, const Written *line)
{
    int64_t sku = job->book->products[line->product].name, units = line->bought + line->free;
    ADD(job, text, "\n");
    add_name(job, text, sku);
    add_figure(job, text, units);
    add_figure(job, text, line->free);
    add_figure(job, text, line->list_price);
    add_figure(job, text, line->unit_price);
    add_figure(job, text, line->payable);
    return MAKE(job->book->words_of->line, name(job, sku), figure(units), figure(line->list_price),
                figure(line->unit_price), figure(line->cost - line->payable), figure(line->payable),
                write_shares(job, line), figure(line->free));
}

static PyObject *write_lines(Job *job, Text *text, const Decided *decided)
{
    const Done *done = &decided->choice.done;
    Written *lines = TAKE(job, Written, job->lines + done->count);
    int count = job->lines;
    for (int i = 0; i < count; i++)
        lines[i] = (Written){decided->lines[i].product,
                             job->units[i],
                             0,
                             product_of(job, decided, i)->list_price,
                             decided->units[i].price,
                             job->base[i],
                             done->left[i]};
    for (int i = 0; i < done->count; i++)
        if (done->each[i].pick.row->rule->kind == GIFT) add_gift(lines, &count, &done->each[i]);
    PyObject **written = TAKE(job, PyObject *, count);
    for (int i = 0; i < count; i++) written[i] = write_line(job, text, &lines[i]);
    return tuple_of(written, count);
}

/* ---- the steps: each adds its amount, in all they are the total */

static PyObject *step_of_rule(const Job *job, int64_t bit, money amount)
{
    const Book *book = job->book;
    return MAKE(book->words_of->step, known(book->rule_kinds[bit]), name(job, book->rules[bit].name),
                known(book->rule_labels[bit]), figure(amount));
}

static PyObject *shipping_step(const Job *job, const Decided *decided)
{
    const Words *words = job->book->words_of;
    if (decided->freed_by != NO_RULE) return step_of_rule(job, decided->freed_by, 0);
    return known(decided->fee == job->asked->fee ? words->shipping_step : words->free_shipping_step);
}

static PyObject *write_steps(Job *job, const Decided *decided)
{
    const Words *words = job->book->words_of;
    const Done *done = &decided->choice.done;
    PyObject **steps = TAKE(job, PyObject *, job->lines + done->count + 3);
    int count = 1;
    money listed = 0;
    for (int i = 0; i < job->lines; i++) {
        const Product *product = product_of(job, decided, i);
        Unit unit = decided->units[i];
        money less = (unit.price - product->list_price) * job->units[i];
        listed += product->list_price * job->units[i];
        if (!less) continue;
        if (unit.rule != NO_RULE) steps[count++] = step_of_rule(job, unit.rule, less);
        else
            steps[count++] = MAKE(words->step, known(words->kind_offer), name(job, product->name),
                                  known(job->book->offer_labels[decided->lines[i].product]), figure(less));
    }
    for (int i = 0; i < done->count; i++)
        if (done->each[i].pick.row->rule->kind != GIFT)
            steps[count++] = step_of_rule(job, done->each[i].pick.row->bit, -done->each[i].off);
    steps[count++] = shipping_step(job, decided);
    if (decided->points) steps[count++] = step_of_rule(job, decided->points->pick.row->bit, -decided->points->off);
    steps[0] = MAKE(words->step, known(words->kind_list_price), known(words->list_name), known(words->list_label),
                    figure(listed));
    return tuple_of(steps, count);
}

/* ---- the rest: what counters need, and which rules did what */

typedef struct {
    int64_t bit;
    money off, units;
} Use;

/* What the prices of their own that have counters take off, and of how many units. */
static int price_uses(const Job *job, const Decided *decided, Use *uses)
{
    int count = 0;
    for (int i = 0; i < job->lines; i++) {
        int64_t bit = decided->units[i].rule;
        int at = 0;
        if (bit == NO_RULE || !job->book->rules[bit].counted) continue;
        while (at < count && uses[at].bit != bit) at++;
        if (at == count) uses[count++] = (Use){bit, 0, 0};
        uses[at].off += (product_of(job, decided, i)->unit_price - decided->units[i].price) * job->units[i];
        uses[at].units += job->units[i];
    }
    return count;
}

/* The rules with counters that apply: each with the money that it takes off, and the units that it is a price for. */
static PyObject *write_limited(Job *job, const Decided *decided)
{
    const Done *done = &decided->choice.done;
    const Applied *points = decided->points;
    Use *uses = TAKE(job, Use, job->lines + done->count + 2);
    int count = price_uses(job, decided, uses);
    for (int i = 0; i < done->count; i++) {
        const Row *row = done->each[i].pick.row;
        if (row->rule->counted) uses[count++] = (Use){row->bit, row->rule->kind == GIFT ? 0 : done->each[i].off, 0};
    }
    if (decided->freed_by != NO_RULE && job->book->rules[decided->freed_by].counted)
        uses[count++] = (Use){decided->freed_by, job->asked->fee, 0};
    if (points && points->pick.row->rule->counted) uses[count++] = (Use){points->pick.row->bit, points->off, 0};
    PyObject **written = TAKE(job, PyObject *, count);
    for (int i = 0; i < count; i++) written[i] = TUPLE(figure(uses[i].bit), figure(uses[i].off), figure(uses[i].units));
    return tuple_of(written, count);
}

/* The rules with counters that could apply, and the most that each could take off in money. */
static PyObject *write_concerned(Job *job, const Decided *decided)
{
    PyObject **written = TAKE(job, PyObject *, decided->row_count);
    int count = 0;
    for (int i = 0; i < decided->row_count; i++) {
        const Row *row = &decided->rows[i];
        bool money_off = row->rule->kind != GIFT && row->rule->stage != SHIPPING;
        if (row->rule->counted) written[count++] = TUPLE(figure(row->bit), figure(money_off ? row->off : 0));
    }
    return tuple_of(written, count);
}

static PyObject *write_priced_by(Job *job, Text *text, const Decided *decided)
{
    PyObject **written = TAKE(job, PyObject *, job->lines);
    int count = 0;
    for (int i = 0; i < job->lines; i++) {
        int64_t bit = decided->units[i].rule;
        if (bit == NO_RULE) continue;
        written[count++] = TUPLE(figure(i), figure(bit));
        ADD(job, text, "\nprice ");
        add_name(job, text, job->book->rules[bit].name);
        add_figure(job, text, i);
    }
    return tuple_of(written, count);
}

static PyObject *write_applied(Job *job, const Decided *decided)
{
    const Done *done = &decided->choice.done;
    PyObject **written = TAKE(job, PyObject *, done->count);
    for (int i = 0; i < done->count; i++)
        written[i] = TUPLE(figure(done->each[i].pick.row->bit), places(&done->each[i].pick));
    return tuple_of(written, done->count);
}

static PyObject *write_text(Job *job, Text *text, const Decided *decided, money points_used)
{
    ADD(job, text, "\nshipping");
    add_figure(job, text, decided->fee);
    ADD(job, text, " ");
    if (decided->freed_by != NO_RULE) add_name(job, text, job->book->rules[decided->freed_by].name);
    ADD(job, text, "\npoints");
    add_figure(job, text, points_used);
    return PyBytes_FromStringAndSize(text->bytes, (ptrdiff_t)text->used);
}

enum { TEXT_USUAL = 1 << 12 };

PyObject *write_decided(Job *job, const Decided *decided)
{
    Text text = {TAKE(job, char, TEXT_USUAL), 0, TEXT_USUAL};
    money points_used = decided->points ? decided->points->off * decided->points->pick.row->rule->price : 0;
    /* In this order, for all of them add to the text. */
    PyObject *lines = write_lines(job, &text, decided);
    PyObject *reductions = write_reductions(job, &text, decided);
    PyObject *gifts = write_gifts(job, &text, decided);
    PyObject *priced_by = write_priced_by(job, &text, decided);
    return MAKE(job->book->words_of->decided, figure(decided->choice.regret), figure(decided->fee),
                figure(decided->freed_by), figure(sum_of(job->base, job->lines)),
                figure(sum_of(decided->choice.done.left, job->lines)), figure(points_used), lines,
                write_steps(job, decided), reductions, gifts, priced_by, write_limited(job, decided),
                write_concerned(job, decided), write_applied(job, decided),
                write_text(job, &text, decided, points_used));
}

/* For each rule: its bit, what it takes off, its lines. */
PyObject *write_rows(Job *job, const Row *rows, int count)
{
    PyObject **written = TAKE(job, PyObject *, count);
    for (int i = 0; i < count; i++) {
        Pick pick = {&rows[i], rows[i].at, rows[i].count};
        written[i] = TUPLE(figure(rows[i].bit), figure(rows[i].off), places(&pick));
    }
    return tuple_of(written, count);
}
