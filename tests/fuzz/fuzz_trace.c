/* Lists of a trace, two in one: what stands before the first empty line are the nodes. A trace that is read is replayed, too. */
#include <string.h>

#include <stint/simulate.h>

#include "tests/fuzz/fuzz.h"

#define NODES "sn,cpu_milli,memory_mib,gpu,model\nn1,96000,1000,8,G2\n\"n2\",64000,1000,2,T4\n"
const char *const fuzz_seeds[] = {NODES "\nname,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,creation_time,deletion_time\n"
					"p1,1000,10,1,810,,LS,0,100\np2,1000,10,1,1000,T4|G2,BE,5,90\np3,9000,10,0,0,,,7,7\n",
	NODES "\nname,cpu_milli,memory_mib,num_gpu,gpu_milli\r\np1,1000,10,8,1000\r\np2,1,1,1,1\r\n", NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *gap = size ? memmem(text, size, "\n\n", 2) : NULL;
	const size_t first = gap ? (size_t)(gap - text) + 1 : size, second = gap ? first + 1 : size;
	struct stint_trace *trace = stint_trace_parse(
		(struct stint_slice){text + second, size - second}, "pods", (struct stint_slice){text, first}, "nodes", NULL, NULL);
	if (!trace)
		return 0;
	const struct stint_trace_replay replay = {.policies = 1u << STINT_TRACE_FGD, .fill = 0.5};
	stint_json_free(stint_trace_replay(trace, &replay, NULL));
	static const enum stint_placement placements[] = {STINT_FRAGMENTATION};
	static const char *const names[] = {"fragmentation"};
	const struct stint_trace_arrivals arrivals = {.placements = placements, .names = names, .count = 1, .load = 2};
	stint_json_free(stint_trace_arrive(trace, &arrivals, NULL));
	stint_trace_free(trace);
	return 0;
}
