package main

type reloadCommand struct {
	control
	Group bool `help:"Have all gateways that share the store reload, without waiting for them."`
}

// Run returns when the gateway serves what it has read.
func (c reloadCommand) Run(p *program) error {
	client, told := c.client(p), "reloaded"
	var err error
	if c.Group {
		told = "told"
		err = client.ReloadGroup(p.ctx)
	} else {
		err = client.Reload(p.ctx)
	}
	if err != nil {
		return err
	}
	return c.answer(p, map[string]string{"status": "ok"}, []string{told})
}
