axes:
  e:
    inverted: false
    speed: 240
  x:
    inverted: false
    speed: 9000
  y:
    inverted: true
    speed: 9000
  z:
    inverted: false
    speed: 300
color: default
extruder:
  count: 2
  defaultExtrusionLength: 5
  nozzleDiameter: 0.6
  offsets:
  - - 0.0
    - 0.0
  - - 18.5
    - -0.5
  sharedNozzle: false
heatedBed: true
heatedChamber: true
id: big
model: Shop made
name: Big one
volume:
  custom_box: false
  depth: 305.0
  formFactor: rectangular
  height: 400.0
  origin: lowerleft
  width: 310.0
