/*
 * Which replies belong to which message, among messages of one channel that wait until all of them are
 * there. For formats that show or name a thread at the message that began it.
 */
#ifndef EXPORT_FORMATS_THREAD_H
#define EXPORT_FORMATS_THREAD_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/str.h"

/* First member of what a format keeps of a message. Numbers of messages are their place + 1; 0: none. */
struct thread_node {
	uint64_t id_hash;   /* thread_hash of the id */
	uint64_t root_hash; /* of the root's; 0: no reply */
	/* set by thread_link */
	uint32_t root; /* of a reply whose root is among them */
	uint32_t first_reply, last_reply, next, replies;
};

/* 64 bits of an id; never 0. */
uint64_t thread_hash(struct ark_str id);

/* `count` messages in the order of time, `stride` bytes apart, each beginning with a thread_node. A reply
 * to a reply, which no server makes, stays without a root. */
void thread_link(void *nodes, size_t count, size_t stride);

#endif
