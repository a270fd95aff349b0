/*
 * A small trace of our own, made up here: nodes of two models and pods of a dozen kinds, so that tests need no file from elsewhere.
 */
#ifndef STINT_TEST_TRACE_LISTS_H
#define STINT_TEST_TRACE_LISTS_H

#include <stint/simulate.h>

struct lists {
	struct stint_buf nodes, pods;
};

/* 24 nodes, 136 GPUs; half of the pods ask for a share, a twentieth for four GPUs, a tenth for none, some for one model alone. */
static inline void lists_make(struct lists *lists, unsigned pods)
{
	static const unsigned shares[] = {810, 470, 320, 650, 230};
	stint_buf_puts(&lists->nodes, "sn,cpu_milli,memory_mib,gpu,model\n");
	for (unsigned i = 0; i < 24; i++)
		stint_buf_printf(
			&lists->nodes, "node-%02u,%u,500000,%u,%s\n", i, i % 3 ? 96000 : 64000, i % 3 ? 8 : 1, i % 3 ? "BIG" : "SMALL");
	stint_buf_puts(&lists->pods, "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,creation_time,deletion_time\n");
	for (unsigned i = 0; i < pods; i++) {
		const unsigned draw = (i * 2654435761u >> 16) % 100, gpus = draw < 10 ? 0 : draw < 15 ? 4 : 1;
		const unsigned milli = gpus != 1 ? gpus * 250 : draw < 65 ? shares[draw % 5] : 1000;
		stint_buf_printf(&lists->pods, "pod-%04u,%u,4096,%u,%u,%s,%s,%u,%u\n", i, 2000 + draw * 150, gpus, milli,
			draw % 9 == 8 ? "SMALL|OTHER" : "", draw % 2 ? "LS" : "BE", i * 30, i * 30 + 60 + draw * 20);
	}
}

static inline void lists_free(struct lists *lists)
{
	stint_buf_free(&lists->nodes);
	stint_buf_free(&lists->pods);
}

static inline struct stint_slice slice_of(const struct stint_buf *buf)
{
	return (struct stint_slice){buf->data, buf->length};
}

#endif
