package server

// Draining reports whether the server says goodbye.
func (s *Server) Draining() bool { return s.draining.Load() }
