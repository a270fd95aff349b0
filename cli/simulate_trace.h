/*
 * simulate_trace: the side of `simulate` that replays a trace; simulate.c is the verb.
 */
#ifndef STINT_CLI_SIMULATE_TRACE_H
#define STINT_CLI_SIMULATE_TRACE_H

#include "cli/cli.h"

int cli_simulate_trace(struct cli_context *ctx);

#define CLI_SIMULATE_TRACE_FLAGS                                                                                                      \
	{.name = "trace", .type = CLI_FILE, .argument = "PODS", .help = "replay a trace instead: its list of pods (CSV)"},            \
		{.name = "nodes", .type = CLI_FILE, .argument = "NODES", .help = "the trace's list of nodes (CSV)"},                  \
		{.name = "policy",                                                                                                    \
			.type = CLI_TEXT,                                                                                             \
			.argument = "POLICY[,...]",                                                                                   \
			.repeated = true,                                                                                             \
			.help = "random, dotprod, clustering, packing, bestfit, fgd, fragmentation; without it, all of them. With "   \
				"--arrivals: binpack, spread, fragmentation"},                                                        \
		{.name = "seeds", .type = CLI_TEXT, .argument = "FIRST-LAST", .otherwise = "42-51", .help = "one run for each seed"}, \
	{                                                                                                                             \
		.name = "svg", .type = CLI_FILE, .argument = "FILE", .help = "draw the curves into this file"                         \
	}

#endif
