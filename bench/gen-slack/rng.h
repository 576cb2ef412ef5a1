/*
 * Random numbers that are the same on every machine: splitmix64, and picks by integer arithmetic
 * only.
 */
#ifndef GEN_SLACK_RNG_H
#define GEN_SLACK_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gen_rng {
	uint64_t state;
};

static inline uint64_t gen_rng_next(struct gen_rng *r)
{
	uint64_t z = (r->state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* A stream of its own for each thing: (seed, kind, number) never share one. */
static inline struct gen_rng gen_rng_for(uint64_t seed, uint64_t kind, uint64_t number)
{
	struct gen_rng r = { seed * 0x2545f4914f6cdd1du + kind };
	uint64_t a = gen_rng_next(&r);
	r.state = a ^ (number * 0x9e3779b97f4a7c15u);
	(void)gen_rng_next(&r);
	return r;
}

/* 0 .. n-1; n > 0. */
static inline uint32_t gen_rng_below(struct gen_rng *r, uint32_t n)
{
	return (uint32_t)(((gen_rng_next(r) >> 32) * n) >> 32);
}

/* True `n` times in `of`. */
static inline bool gen_rng_chance(struct gen_rng *r, uint32_t n, uint32_t of)
{
	return gen_rng_below(r, of) < n;
}

/* 0 .. n-1 where small numbers are much likelier: the share of rank k falls about as 1/k. */
static inline uint32_t gen_rng_skewed(struct gen_rng *r, uint32_t n)
{
	uint32_t bits = 0;
	while (bits < 31 && (1u << (bits + 1)) <= n)
		bits++;
	for (;;) {
		uint32_t b = gen_rng_below(r, bits + 1);
		uint32_t v = (1u << b) - 1 + gen_rng_below(r, 1u << b);
		if (v < n)
			return v;
	}
}

/* A value with the given quantiles, linear between them; `at` is in 1/1000, ascending from 0 to
 * 1000. */
struct gen_quantile {
	uint32_t at;
	uint32_t value;
};
static inline uint32_t gen_rng_quantile(struct gen_rng *r, const struct gen_quantile *q,
					size_t count)
{
	uint32_t u = gen_rng_below(r, 1000 * 1000); /* thousandths of 1/1000 */
	size_t i = 1;
	while (i + 1 < count && q[i].at * 1000u <= u)
		i++;
	uint64_t width = (uint64_t)(q[i].at - q[i - 1].at) * 1000u;
	uint64_t in = u - (uint64_t)q[i - 1].at * 1000u;
	return q[i - 1].value + (uint32_t)((q[i].value - q[i - 1].value) * in / width);
}

#endif
