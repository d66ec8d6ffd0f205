/* What systemd wants to hear of a service: the protocol of sd_notify(3), one datagram a message. */
#pragma once

#include "base/base.h"

/*
 * Sends "READY=1", "STATUS=…", lines with '\n' between them. Without a service manager (no NOTIFY_SOCKET)
 * nothing is done; what cannot be sent costs a debug message and nothing else.
 */
void service_tell(const char *text);

/* How often, in microseconds, the manager wants to hear "WATCHDOG=1" of this process; 0: never. */
int64_t service_watchdog_us(void);

/*
 * Whether the file is one that the manager has laid into $CREDENTIALS_DIRECTORY (LoadCredential=). Only the service
 * can enter that folder, but since systemd 254 its files show group bits, which stand for an access list: who
 * refuses secrets that others may read has to let these pass.
 */
bool service_is_credential(const char *path);
