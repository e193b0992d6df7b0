package main

func (b *bench) unpack() error { return nil }
