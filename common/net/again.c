/* Pauses between repetitions. */
#include <sys/random.h>

#include "common/base/time.h"
#include "common/net/private.h"

#include "common/base/banned.h"

uint64_t net_seed(void)
{
	uint64_t seed;
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = (uint64_t)ark_time_now_ms();
	return seed | 1;
}

int64_t net_pause(unsigned tries, int64_t first_ms, int64_t max_ms, uint64_t *seed)
{
	int64_t pause = first_ms;
	for (unsigned i = 1; i < tries && pause < max_ms; i++)
		pause *= 2;
	if (pause > max_ms)
		pause = max_ms;
	/* xorshift64: only spreads, hides nothing */
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return pause / 2 + (int64_t)(*seed % (uint64_t)(pause / 2 + 1));
}
