/*
 * pause: waiting for a while on the client's loop, so that requests and Ctrl-C go on meanwhile.
 */
#ifndef STINT_CLI_PAUSE_H
#define STINT_CLI_PAUSE_H

#include <stint/base.h>

/* False: the loop was stopped. */
bool cli_pause(struct stint_loop *loop, int64_t ms);

#endif
