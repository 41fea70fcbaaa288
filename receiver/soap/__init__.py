"""The contract's side of the door: envelopes in, decoded orders on, answers and faults out. The one home of spyne."""
