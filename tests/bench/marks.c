/* Tells callgrind where the counting of one packet begins and ends (valgrind's client requests: nothing outside of it). */
#include <valgrind/callgrind.h>

void begin_counting(void) { CALLGRIND_ZERO_STATS; }
void end_counting(const char *name) { CALLGRIND_DUMP_STATS_AT(name); }
