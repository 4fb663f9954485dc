"""What goes wrong with embedded servers, said in one sentence to the person who started them."""


class EmbeddedError(RuntimeError):
    """The installation can't do what was asked; the message says why and what helps."""


class ServerEndedError(EmbeddedError):
    """A server ended before it answered; a second try may find its predecessor's leavings gone."""
