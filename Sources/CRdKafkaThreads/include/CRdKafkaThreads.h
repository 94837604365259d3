// Nothing to call: linking this target is all it takes. See C11Threads.c.
#ifndef VITALSTREAM_CRDKAFKATHREADS_H
#define VITALSTREAM_CRDKAFKATHREADS_H
#endif
