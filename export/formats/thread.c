#include "export/formats/thread.h"

#include "common/base/mem.h"

#include "common/base/banned.h"

uint64_t thread_hash(struct ark_str id)
{
	uint64_t h = 14695981039346656037u;
	for (size_t i = 0; i < id.len; i++)
		h = (h ^ (unsigned char)id.ptr[i]) * 1099511628211u;
	return h | 1;
}

struct table {
	char *nodes;
	size_t stride;
	uint32_t *slots; /* number of a message; 0: free */
	size_t size;     /* a power of two */
};

static struct thread_node *node(const struct table *t, uint32_t number)
{
	return (struct thread_node *)(void *)(t->nodes + (number - 1) * t->stride);
}

static size_t slot_of(const struct table *t, uint64_t hash)
{
	size_t at = hash >> 7 & (t->size - 1);
	while (t->slots[at] != 0 && node(t, t->slots[at])->id_hash != hash)
		at = (at + 1) & (t->size - 1);
	return at;
}

static void append(const struct table *t, uint32_t root, uint32_t reply)
{
	struct thread_node *r = node(t, root);
	if (r->first_reply == 0)
		r->first_reply = reply;
	else
		node(t, r->last_reply)->next = reply;
	r->last_reply = reply;
	r->replies++;
	node(t, reply)->root = root;
}

void thread_link(void *nodes, size_t count, size_t stride)
{
	struct table t = { .nodes = nodes, .stride = stride, .size = 16 };
	while (t.size < 2 * count)
		t.size *= 2;
	t.slots = ark_calloc(t.size, sizeof(*t.slots));
	for (uint32_t i = 1; i <= count; i++)
		t.slots[slot_of(&t, node(&t, i)->id_hash)] = i;
	for (uint32_t i = 1; i <= count; i++) {
		const struct thread_node *n = node(&t, i);
		uint32_t root = n->root_hash != 0 ? t.slots[slot_of(&t, n->root_hash)] : 0;
		if (root != 0 && root != i && node(&t, root)->root == 0 && n->replies == 0)
			append(&t, root, i);
	}
	ark_freep(&t.slots);
}
