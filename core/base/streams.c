/* streams: the descriptors 0, 1 and 2 of the process. */
#include <stint/base.h>

#include <fcntl.h>
#include <unistd.h>

bool stint_standard_streams_keep(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* The lowest free number is this one, since those below are open by now. */
		if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return false;
	}
	return true;
}
