/* Counts of values in buckets, none of them wider than a 32nd of its values: nanoseconds to minutes in 15 kB. */

#include <stdint.h>

enum { BUCKETS = 61 * 32 };

typedef struct {
    uint64_t counts[BUCKETS];
    uint64_t total, largest;
} histogram;

/* Values below 64 have a bucket each; from there on, each power of two has 32. */
static void note(histogram *h, uint64_t value)
{
    int shift = 58 - __builtin_clzll(value | 32);
    h->counts[shift * 32 + (int)(value >> shift)]++;
    h->total++;
    if (value > h->largest)
        h->largest = value;
}

static uint64_t bucket_end(unsigned bucket)
{
    unsigned shift = bucket < 64 ? 0 : bucket / 32 - 1;
    return ((uint64_t)(bucket - shift * 32 + 1) << shift) - 1;
}

/* The least value that this share of all is not above, as the end of its bucket; 0 of nothing. */
static uint64_t percentile(const histogram *h, double share)
{
    uint64_t seen = 0;
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
        seen += h->counts[bucket];
        if (seen && (double)seen >= share * (double)h->total)
            return bucket_end(bucket) < h->largest ? bucket_end(bucket) : h->largest;
    }
    return 0;
}
