/* Splits an amount by weights, by the method of largest remainder: each share is within one unit of its exact part, the
 * shares add up, and equal remainders go to the earlier place. */
#include "kernel.h"

static void sort_down(wide *values, int count)
{
    for (int i = 1; i < count; i++) {
        wide value = values[i];
        int at = i;
        for (; at > 0 && values[at - 1] < value; at--) values[at] = values[at - 1];
        values[at] = value;
    }
}

static void give_rest(money missing, const wide *remainders, int count, money *shares)
{
    wide sorted[LINES_MAX];
    for (int i = 0; i < count; i++) sorted[i] = remainders[i];
    sort_down(sorted, count);
    wide least = sorted[missing - 1];
    money ties = missing;
    for (int i = 0; i < count; i++) ties -= remainders[i] > least;
    for (int i = 0; i < count; i++) {
        if (remainders[i] > least) shares[i]++;
        else if (remainders[i] == least && ties > 0) shares[i]++, ties--;
    }
}

void split(money total, const money *weights, int count, money *shares)
{
    money whole = 0, given = 0;
    for (int i = 0; i < count; i++) whole += weights[i];
    bool evenly = whole == 0;
    if (evenly) whole = count;
    wide remainders[LINES_MAX];
    if (total <= INT64_MAX / whole) {
        for (int i = 0; i < count; i++) {
            money product = total * (evenly ? 1 : weights[i]);
            shares[i] = product / whole;
            remainders[i] = product % whole;
            given += shares[i];
        }
    } else {
        for (int i = 0; i < count; i++) {
            wide product = (wide)total * (evenly ? 1 : weights[i]);
            shares[i] = (money)(product / whole);
            remainders[i] = product % whole;
            given += shares[i];
        }
    }
    if (given < total) give_rest(total - given, remainders, count, shares);
}

/* The same, with no place more than its cap or anything for weight 0: what does not fit is split again among the
 * others; what fits nowhere is given up. */
void split_within(money total, const money *weights, const money *caps, int count, money *shares)
{
    money room = 0, open[LINES_MAX], again[LINES_MAX];
    for (int i = 0; i < count; i++) {
        room += weights[i] ? caps[i] : 0;
        open[i] = weights[i];
    }
    if (total > room) total = room;
    if (total <= 0) {
        for (int i = 0; i < count; i++) shares[i] = 0;
        return;
    }
    split(total, weights, count, shares);
    for (;;) {
        bool over = false;
        money kept = 0;
        for (int i = 0; i < count; i++) {
            if (open[i] && shares[i] > caps[i]) {
                shares[i] = caps[i];
                open[i] = 0;
                over = true;
            }
            kept += open[i] ? 0 : shares[i];
        }
        if (!over) return;
        split(total - kept, open, count, again);
        for (int i = 0; i < count; i++) shares[i] = open[i] ? again[i] : shares[i];
    }
}
