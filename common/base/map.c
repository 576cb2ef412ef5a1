#include "common/base/map.h"

#include <stdlib.h>
#include <sys/random.h>

#include "common/base/err.h"
#include "common/base/mem.h"

#include "common/base/banned.h"

static uint64_t seed;

static inline uint64_t folded(uint64_t v)
{
	__uint128_t x = (__uint128_t)v * (seed ^ 0xa0761d6478bd642fu);
	return (uint64_t)x ^ (uint64_t)(x >> 64);
}

/* Multiply-and-fold over 8-byte words, keyed by a seed drawn once per process. */
static uint64_t hash_of(struct ark_str s)
{
	if (__builtin_expect(seed == 0, 0)) {
		if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
			seed = 0x9e3779b97f4a7c15u;
		seed |= 1;
	}
	uint64_t h = seed ^ (s.len * 0x9e3779b97f4a7c15u), w;
	size_t at = 0;
	for (; at + 8 < s.len; at += 8) {
		memcpy(&w, s.ptr + at, 8);
		h = folded(h ^ w);
	}
	if (s.len >= 8) { /* the last eight bytes, some of them once more: no loop over the rest */
		memcpy(&w, s.ptr + s.len - 8, 8);
	} else {
		w = 0;
		for (; at < s.len; at++)
			w = w << 8 | (unsigned char)s.ptr[at];
	}
	return folded(h ^ w);
}

void ark_map_release(struct ark_map *m)
{
	free(m->entries);
	free(m->slots);
	free(m->keys);
	*m = (struct ark_map){ 0 };
}

void ark_map_clear(struct ark_map *m)
{
	for (uint32_t i = 0; i < m->slots_cap; i++)
		m->slots[i] = 0;
	m->count = 0;
	m->keys_len = 0;
}

/* Slot that holds `key`, or the free one where it would go. */
static uint32_t slot_of(const struct ark_map *m, struct ark_str key, uint64_t hash)
{
	uint32_t mask = m->slots_cap - 1;
	for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
		uint32_t e = m->slots[i];
		if (e == 0)
			return i;
		const struct ark_map_entry *x = &m->entries[e - 1];
		if (x->hash == hash && x->key_len == key.len &&
		    (key.len == 0 || memcmp(m->keys + x->key_at, key.ptr, key.len) == 0))
			return i;
	}
}

uint32_t ark_map_get(const struct ark_map *m, struct ark_str key)
{
	if (m->count == 0)
		return ARK_MAP_NONE;
	uint32_t e = m->slots[slot_of(m, key, hash_of(key))];
	return e == 0 ? ARK_MAP_NONE : m->entries[e - 1].value;
}

static void grow(struct ark_map *m)
{
	uint32_t cap = m->slots_cap == 0 ? 16 : m->slots_cap * 2;
	if (cap < m->slots_cap)
		ark_bug("map of more than 2^31 keys");
	free(m->slots);
	m->slots = ark_calloc(cap, sizeof(*m->slots));
	m->slots_cap = cap;
	for (uint32_t e = 0; e < m->count; e++) {
		uint32_t i = (uint32_t)m->entries[e].hash & (cap - 1);
		while (m->slots[i] != 0)
			i = (i + 1) & (cap - 1);
		m->slots[i] = e + 1;
	}
}

void ark_map_put(struct ark_map *m, struct ark_str key, uint32_t value)
{
	if (m->count >= m->slots_cap / 2)
		grow(m);
	uint64_t hash = hash_of(key);
	uint32_t slot = slot_of(m, key, hash);
	if (m->slots[slot] != 0) {
		m->entries[m->slots[slot] - 1].value = value;
		return;
	}
	if (m->count == m->entries_cap) {
		m->entries_cap = m->entries_cap == 0 ? 16 : m->entries_cap * 2;
		m->entries = ark_realloc(m->entries, m->entries_cap, sizeof(*m->entries));
	}
	if (m->keys_cap - m->keys_len < key.len) {
		m->keys_cap = (m->keys_cap + key.len) * 2;
		m->keys = ark_realloc(m->keys, m->keys_cap, 1);
	}
	m->entries[m->count] = (struct ark_map_entry){
		.hash = hash, .key_at = m->keys_len, .key_len = (uint32_t)key.len, .value = value
	};
	if (key.len > 0)
		memcpy(m->keys + m->keys_len, key.ptr, key.len);
	m->keys_len += key.len;
	m->slots[slot] = ++m->count;
}

struct ark_str ark_map_key(const struct ark_map *m, uint32_t n)
{
	const struct ark_map_entry *e = &m->entries[n];
	return (struct ark_str){ m->keys != NULL ? m->keys + e->key_at : "", e->key_len };
}
